"""The level ``participant``: from settings to derivatives, and what is said at the end."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice

from tntpipe import __version__
from tntpipe.bids.description import container_of, link_to_raw, refuse_foreign_dataset, write_dataset_files
from tntpipe.bids.methods import RunFacts
from tntpipe.budget.find import Budget, find_budget
from tntpipe.budget.host import host
from tntpipe.claims import Claim
from tntpipe.cli.dry_run import print_graph_written, print_plan, write_graph
from tntpipe.cli.estimate_sources import other_machine, summary, table
from tntpipe.cli.plan import Plan, check_budget, jobs_of, make_plan
from tntpipe.cli.predict import predict
from tntpipe.cli.profile_output import refuse_unwritable, write_profile_of_run
from tntpipe.cli.report import report_of_run
from tntpipe.cli.screen import screen_may_be_gone
from tntpipe.cli.settings import Settings
from tntpipe.cli.summary import print_summary
from tntpipe.cli.views import Views
from tntpipe.derivatives import Derivatives
from tntpipe.errors import SIGNALLED, BudgetError, ExitStatus
from tntpipe.events import (
    KindLearnt,
    Notice,
    Outcome,
    RunEnded,
    RunEvent,
    RunForecast,
    RunStarted,
    ScanEnded,
    ScanOutcome,
    StepAdmitted,
    StepDropped,
    StepEnded,
    StepsWaiting,
)
from tntpipe.executors.adviser import Adviser
from tntpipe.executors.drive import drive
from tntpipe.executors.forecaster import Forecaster, Thinkers
from tntpipe.executors.learner import Learner, Learnt
from tntpipe.executors.machine import Machine
from tntpipe.graph import Graph
from tntpipe.journal import JOURNAL_NAME
from tntpipe.lines import counted
from tntpipe.locks import NoLocksError
from tntpipe.profiling.estimates import Source
from tntpipe.readiness import Readiness
from tntpipe.resources import Resources
from tntpipe.scan_tracker import ScanTracker
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.events import Action, Drop, Event, Interrupted, Job, Launch, RuleChosen
from tntpipe.waiting import waiting_steps
from tntpipe.workfolder import WorkFolder, remove_steps


def run_participants(settings: Settings, words: Sequence[str]) -> ExitStatus:
    """Run the level; how it went."""
    gc.disable()  # a plan of a thousand scans is millions of objects that live to the end: nothing to look for
    try:
        return _planned_and_run(settings, words)
    finally:
        gc.enable()


def _planned_and_run(settings: Settings, words: Sequence[str]) -> ExitStatus:
    budget = find_budget(settings.n_proc, settings.memory_gb)
    if settings.plan:
        plan = make_plan(settings, budget.cpu_limits[0].amount, _say_progress)
        predict(plan, _done_without_writing(plan.graph, settings, plan.programs.versions), settings)
        return ExitStatus.SCAN_FAILED if plan.refusals else ExitStatus.SUCCESS
    plan = make_plan(settings, budget.cpus.amount, _say_progress)
    if settings.graph_output is not None:
        write_graph(plan.graph, settings.graph_output)
        print_graph_written(plan, settings.graph_output)
        return ExitStatus.SCAN_FAILED if plan.refusals else ExitStatus.SUCCESS
    try:
        check_budget(plan.graph, plan.estimates, settings.ants_n_proc, budget.resources)
    except BudgetError as error:
        raise BudgetError(f"{error.fact} The budget is {budget}.", remedy=error.remedy) from None
    refuse_foreign_dataset(settings.output_dir)
    if settings.dry_run:
        print_plan(plan, settings, budget)
        return ExitStatus.SCAN_FAILED if plan.refusals else ExitStatus.SUCCESS
    if settings.profiling_output_file is not None:
        refuse_unwritable(settings.profiling_output_file)
    return _Run(settings, plan, budget, words).run()


N_WAITING_SHOWN = 5
N_WAITING_LOGGED = 50
"""So many of the steps that wait are told, on the screen and in the log."""


N_SLICES_A_TICK = 4
"""So many slices of a forecast are thought for when the screen is drawn: some two milliseconds."""


class _Run:
    """One run of a plan."""

    def __init__(self, settings: Settings, plan: Plan, budget: Budget, words: Sequence[str]) -> None:
        self._settings, self._plan, self._budget = settings, plan, budget
        self._work = WorkFolder(settings.work_dir, plan.programs.versions)
        self._claim = Claim(settings.output_dir, self._work.run)
        self._unlocked = self._keep_others_off()
        if settings.clean_work:
            remove_steps(settings.work_dir)
        self._derivatives = Derivatives(settings.output_dir, self._work)
        self._derivatives.begin(plan.graph)
        self._done = _done_steps(plan.graph, self._work, self._derivatives)
        jobs = jobs_of(plan.graph, plan.estimates, self._done, settings.ants_n_proc)
        self._scheduler = Scheduler(jobs, budget.resources)
        self._learner = _learner(plan, jobs, budget.resources, self._tell_learnt)
        self._tracker = ScanTracker(plan.graph, plan.scans, self._done)
        self._readiness = Readiness(plan.graph, self._done)
        self._forecaster = Forecaster(self._foreseen)
        facts = _facts(settings, plan)
        link = link_to_raw(settings.bids_dir, settings.output_dir)
        write_dataset_files(settings.output_dir, facts, plan.dataset, link, container_of(os.environ))
        self._words = words
        gc.freeze()
        gc.enable()

    def _keep_others_off(self) -> str:
        """Take the work folder and the scans for this run; what to say where that cannot be done."""
        try:
            self._work.lock()
            self._claim.take(self._plan.scans)
        except NoLocksError as error:
            folders = f"{self._settings.work_dir} and {self._settings.output_dir}"
            return f"no file locks at {folders} ({error.strerror}): see to it that no other run writes there"
        except BaseException:
            self._work.close()
            raise
        return ""

    def run(self) -> ExitStatus:
        """Run what is left to run."""
        settings = self._settings
        views = self._views = Views(
            settings.output_dir / "logs", dashboard=settings.dashboard, loglevel=settings.loglevel
        )
        machine = self._machine = Machine(
            self._plan.graph,
            self._work,
            self._derivatives,
            self._plan.programs.commands,
            self._emit,
            self._budget.mem.amount,
            tick=self._tick,
            tick_s=views.tick_s,
            asked=self._tell_what_waits,
            paused=self._paused,
            gone=views.gone,
            log_begun=views.step_logs.show,
        )
        status = ExitStatus.SOFTWARE
        with machine.signals():
            try:
                status = self._drive(machine)
            finally:
                report = report_of_run(views.run_dir)
                if settings.profiling_output_file is not None:
                    journal = views.run_dir / JOURNAL_NAME
                    status = write_profile_of_run(settings.profiling_output_file, journal, status)
            with screen_may_be_gone():
                print_summary(views.state, views.run_dir, settings.output_dir, report)
        return status

    def _drive(self, machine: Machine) -> ExitStatus:
        with self._views:
            try:
                self._begin()
                thinkers = Thinkers(self._forecaster, Adviser())
                drive(self._scheduler, machine, self._observe, thinkers, self._learner)
            finally:
                machine.close()
                self._work.close()
                self._claim.release()
            for ended in self._tracker.finish():
                self._views.emit(ended)
            outcomes = self._tracker.outcomes | {r.scan: ScanOutcome.REFUSED for r in self._plan.refusals}
            status = _exit_status(outcomes.values(), machine.stop_signal)
            self._views.emit(RunEnded(exit_status=status, scans={scan: o.value for scan, o in outcomes.items()}))
        return status

    def _begin(self) -> None:
        settings, plan = self._settings, self._plan
        self._views.emit(
            RunStarted(
                command=("tntpipe", *self._words),
                version=__version__,
                ants=str(plan.programs.ants),
                host=host(),
                pid=os.getpid(),
                cpus=self._budget.cpus.amount,
                mem_bytes=self._budget.mem.amount,
                budget=str(self._budget),
                scans=_count_by_scan(plan.graph, plan.graph.steps),
                reused=_count_by_scan(plan.graph, self._done),
                settings=settings.described(),
                folders={
                    "dataset": str(settings.bids_dir),
                    "output": str(settings.output_dir),
                    "work": str(settings.work_dir),
                },
            )
        )
        budget = self._budget
        if budget.others:
            self._views.emit(Notice(text=f"other limits: {'; '.join(budget.others)}", level="DEBUG"))
        step_logs = f"logs of steps: {self._views.step_logs.path('<scan>/<step>')}"
        for text in (*settings.notices, *map(str, plan.notices), *budget.notices, f"budget: {budget}", step_logs):
            self._views.emit(Notice(text=text))
        for text in (*budget.warnings, *filter(None, [self._unlocked])):
            self._views.emit(Notice(text=text, level="WARNING"))
        for warned in plan.warned:
            self._views.emit(Notice(text=f"{warned.scan}: {warned.message}", level="WARNING", scan=warned.scan))
        self._tell_estimates()
        self._tell_warnings()
        for refusal in plan.refusals:
            self._views.emit(ScanEnded(scan=refusal.scan, outcome=ScanOutcome.REFUSED, message=refusal.message))
        self._emit_all(chain[RunEvent](self._tracker.begin(), self._readiness.begin()))

    def _tell_warnings(self) -> None:
        """Say again what steps that were done before warn of: the figures are no less doubtful than they were."""
        for step in self._plan.graph:
            record = self._work.record(step.name) if step.name in self._done else None
            for text in record.warnings if record else ():
                self._views.emit(Notice(text=f"{step.name}: {text}", level="WARNING", scan=step.scan))

    def _tell_estimates(self) -> None:
        """Say where the estimates come from: in short where a file was given, and in the log of each kind of step."""
        plan = self._plan
        left = [step for step in plan.graph if step.name not in self._done]
        level = "DEBUG" if plan.estimates.file is None else "INFO"
        self._views.emit(Notice(text=summary(left, plan.estimates), level=level))
        elsewhere = other_machine(plan.estimates, host(), str(plan.programs.ants))
        if elsewhere is not None:
            self._views.emit(Notice(text=elsewhere))
        for line in table(left, plan.estimates):
            self._views.emit(Notice(text=line, level="DEBUG"))

    def _emit(self, event: RunEvent) -> None:
        self._views.emit(event)
        self._emit_all(chain[RunEvent](self._tracker.follow(event), self._readiness.follow(event)))
        failed = isinstance(event, StepEnded) and event.outcome is Outcome.FAILED
        if failed and self._settings.stop_on_first_crash:
            self._machine.interrupt()

    def _emit_all(self, events: Iterable[RunEvent]) -> None:
        for event in events:
            self._views.emit(event)

    def _foreseen(self, left_s: float) -> None:
        self._views.emit(RunForecast(seconds_left=round(left_s, 1)))

    def _observe(self, _now: float, happened: Event | Action) -> None:
        self._forecaster.note(happened, self._scheduler)
        if isinstance(happened, Launch):
            self._views.emit(
                StepAdmitted(
                    name=happened.name,
                    cpus=happened.request.cpus,
                    mem_bytes=happened.request.mem_bytes,
                    expected_s=round(self._scheduler.expected_s(happened.name), 1),
                    why=happened.reason.value,
                )
            )
        elif isinstance(happened, Drop):
            step = self._plan.graph.steps[happened.name]
            self._emit(StepDropped(name=step.name, scan=step.scan, because=happened.because))
        elif isinstance(happened, Interrupted):
            self._views.emit(Notice(text="the run stops: its steps are asked to end", level="WARNING"))
        elif isinstance(happened, RuleChosen):
            self._views.emit(Notice(text=f"looked ahead; from now on: {happened.rule}", level="DEBUG"))

    def _tell_learnt(self, learnt: Learnt) -> None:
        self._views.emit(
            KindLearnt(
                kind=learnt.kind,
                variant=learnt.variant,
                n=learnt.n,
                mem_bytes=learnt.mem_bytes,
                time_ratio=round(learnt.time_ratio, 3),
            )
        )

    def _tick(self) -> None:
        """Foresee the end while nothing happens, and draw the screen, with the head of the queue."""
        for _ in islice(self._forecaster.consider(self._scheduler, self._machine.now()), N_SLICES_A_TICK):
            pass
        self._views.tick(self._find_out_what_waits)

    def _find_out_what_waits(self) -> None:
        waiting = dict(waiting_steps(self._scheduler, self._machine.now(), N_WAITING_SHOWN))
        if waiting != self._views.state.waiting:
            self._views.emit(StepsWaiting(steps=waiting))

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """While it lasts, no time passes for the run, and the screen is the terminal's again."""
        with self._views.put_away():
            yield
        self._forecaster.be_surprised()

    def _tell_what_waits(self) -> None:
        """Say in the log what waits, and why, and in the status file how the run stands."""
        self._find_out_what_waits()
        self._views.write_status()
        self._views.emit(Notice(text=f"{counted(len(self._views.state.running), 'step')} running; what waits:"))
        for name, why in waiting_steps(self._scheduler, self._machine.now(), N_WAITING_LOGGED):
            self._views.emit(Notice(text=f"  {name} {why}"))


def _learner(plan: Plan, jobs: Sequence[Job], budget: Resources, tell: Callable[[Learnt], None]) -> Learner:
    """Of the steps that are left to run."""
    steps = [plan.graph.steps[job.name] for job in jobs]
    expected = {step.name: plan.estimates.of(step.kind, step.variant, step.voxels) for step in steps}
    return Learner(
        jobs,
        {step.name: (step.variant, step.voxels) for step in steps},
        budget,
        fixed=[name for name, estimate in expected.items() if estimate.source is Source.FILE],
        fixed_times=[name for name, estimate in expected.items() if estimate.time_source is Source.FILE],
        tell=tell,
    )


def _say_progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="\r", file=sys.stderr, flush=True)


def _done_steps(graph: Graph, work: WorkFolder, derivatives: Derivatives) -> set[str]:
    """The steps whose results are there, and the derivatives that they left."""
    done: set[str] = set()
    for step in graph:
        if done.issuperset(graph.follows[step.name]) and work.is_done(step) and derivatives.are_published(step):
            done.add(step.name)
    return done


def _done_without_writing(graph: Graph, settings: Settings, program_versions: Mapping[str, str]) -> set[str]:
    """The same, where nothing may be written."""
    if settings.clean_work or not (settings.work_dir / "scratch").is_dir():  # as every work folder has
        return set()
    work = WorkFolder(settings.work_dir, program_versions)
    return _done_steps(graph, work, Derivatives(settings.output_dir, work))


def _count_by_scan(graph: Graph, names: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        scan = graph.steps[name].scan
        counts[scan] = counts.get(scan, 0) + 1
    return counts


def _facts(settings: Settings, plan: Plan) -> RunFacts:
    method = settings.method
    second = settings.subcortical_model
    return RunFacts(
        tntpipe_version=__version__,
        ants_flavour=plan.programs.ants.flavour,
        ants_version=plan.programs.ants.version,
        model=settings.model.space,
        registration=method.preset.name,  # type: ignore[arg-type]
        brain_extraction=method.brain_extraction.value,
        subcortical_model=(second or settings.model).space if method.subcortical else None,
        intracranial_volume=method.intracranial_volume,
        atlas=settings.model.priors is not None,
        nuclei_by_atlas=settings.model.nuclei_by_priors and second is None,
    )


def _exit_status(outcomes: Collection[ScanOutcome], stop_signal: int | None) -> ExitStatus:
    """The status; a signal that came when all was done changes nothing."""
    if stop_signal is not None and ScanOutcome.STOPPED in outcomes:
        return ExitStatus(SIGNALLED + stop_signal)
    bad = {ScanOutcome.FAILED, ScanOutcome.REFUSED, ScanOutcome.STOPPED}
    return ExitStatus.SCAN_FAILED if bad.intersection(outcomes) else ExitStatus.SUCCESS
