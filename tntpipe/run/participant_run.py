"""A run of a plan: from its steps to derivatives, what is learnt and told on the way, and what is said at the end."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice

from tntpipe import __version__
from tntpipe.bids.description import container_of, link_to_raw, refuse_foreign_dataset, write_dataset_files
from tntpipe.bids.outputs import is_derivative
from tntpipe.budget.find import Budget, find_budget
from tntpipe.budget.host import host
from tntpipe.errors import SIGNALLED, ExitStatus, OutputError
from tntpipe.executors.learner import Learner, Learnt
from tntpipe.executors.machine import Machine
from tntpipe.formatting import counted
from tntpipe.journal.events import (
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
from tntpipe.journal.writer import JOURNAL_NAME
from tntpipe.profiling.estimates import Source
from tntpipe.resources import Resources
from tntpipe.run.closing_report import print_summary
from tntpipe.run.estimate_sources import guesses, other_machine, summary, table
from tntpipe.run.failing_alike import FailingAlike
from tntpipe.run.findings import notices_of, scans_lying
from tntpipe.run.jobs import jobs_of
from tntpipe.run.method_facts import facts_in, facts_of, method_of
from tntpipe.run.plan import Plan
from tntpipe.run.profile_output import refuse_unwritable, write_profile_of_run
from tntpipe.run.readiness import Readiness
from tntpipe.run.report_page import report_of_run
from tntpipe.run.scan_tracker import ScanTracker
from tntpipe.run.settings import RunOptions
from tntpipe.run.sinks import Views
from tntpipe.run.study_tables import tables_of_run
from tntpipe.run.terminal import screen_may_be_gone
from tntpipe.run.wait_reasons import waiting_steps
from tntpipe.run.within_budget import within_budget
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Action, Drop, Event, Interrupted, Launch, RuleChosen
from tntpipe.simulation.adviser import Adviser
from tntpipe.simulation.forecaster import Forecaster, Thinkers
from tntpipe.steps.graph import Graph
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.locks import NoLocksError
from tntpipe.store.scan_claims import Claim
from tntpipe.store.survey import survey
from tntpipe.store.work_folder import WorkFolder, remove_steps


def run(plan: Plan, options: RunOptions = RunOptions(), budget: Budget | None = None) -> ExitStatus:  # noqa: B008
    """Run what is left of a plan to its end; how it went.

    The main thread of the process must call it, since signals stop, pause and question it.

    Parameters
    ----------
    plan
        As `tntpipe.run.plan.make_plan` makes it.
    options
        How the run behaves.
    budget
        CPUs and memory to run within; by default what the plan's settings ask for, or the machine allows.

    Raises
    ------
    BudgetError
        The whole budget holds none of the scans, or not a step that they share.
    TntpipeError
        The run cannot begin: a foreign dataset in the output folder, another run that holds a scan, and so on.
    """
    budget = budget or find_budget(plan.settings.limits.n_proc, plan.settings.limits.memory_gb)
    plan = within_budget(plan, budget)
    refuse_foreign_dataset(plan.settings.folders.output)
    if options.profile is not None:
        refuse_unwritable(options.profile)
    return _Run(plan, budget, options).run()


N_WAITING_SHOWN = 5
N_WAITING_LOGGED = 50
"""So many of the steps that wait are told, on the screen and in the log."""


N_SLICES_A_TICK = 4
"""So many slices of a forecast are thought for when the screen is drawn: some two milliseconds."""


class _Run:
    """One run of a plan."""

    def __init__(self, plan: Plan, budget: Budget, options: RunOptions) -> None:
        self._plan, self._budget, self._options = plan, budget, options
        folders = self._folders = plan.settings.folders
        ants_n_proc = plan.settings.limits.ants_n_proc
        self._work = WorkFolder(folders.work, plan.programs.versions)
        self._method = method_of(plan.settings, plan.programs)
        self._claim = Claim(folders.output, self._work.run)
        self._unlocked = self._keep_others_off()
        if options.clean_work:
            remove_steps(folders.work)
        self._derivatives = Derivatives(folders.output, self._work, self._method, is_derivative)
        self._derivatives.begin(list(plan.graph))
        self._survey = survey(plan.graph, self._work, self._derivatives)
        self._derivatives.withdraw_later(self._survey.due)
        self._done = set(self._survey.done)
        jobs = jobs_of(plan.graph, plan.estimates, self._done, ants_n_proc, self._survey.computed)
        self._scheduler = Scheduler(jobs, budget.resources)
        self._learner = _learner(plan, jobs, budget.resources, self._tell_learnt)
        self._tracker = ScanTracker(plan.graph, plan.scans, self._done)
        self._failing = FailingAlike()
        self._readiness = Readiness(plan.graph, self._done)
        self._forecaster = Forecaster(self._foreseen)
        self._older = scans_lying(folders.output)
        self._n_described = -1
        self._describe_dataset()
        gc.freeze()
        gc.enable()

    def _describe_dataset(self) -> None:
        """Have the files of the dataset itself tell of what lies there, scan by scan."""
        plan, output = self._plan, self._folders.output
        n_changed = self._derivatives.n_methods_changed
        if n_changed == self._n_described:
            return
        methods = self._derivatives.methods()
        unknown = dict.fromkeys(self._older.difference(methods))
        lying = {scan: facts_in(method) for scan, method in (unknown | methods).items()}
        link, facts = link_to_raw(self._folders.dataset, output), facts_of(plan.settings, plan.programs)
        write_dataset_files(output, facts, plan.dataset, link, container_of(os.environ), lying)
        self._n_described = n_changed

    def _keep_others_off(self) -> str:
        """Take the work folder and the scans for this run; what to say where that cannot be done."""
        try:
            self._work.lock()
            self._claim.take(self._plan.scans, self._method)
        except NoLocksError as error:
            folders = f"{self._folders.work} and {self._folders.output}"
            return f"no file locks at {folders} ({error.strerror}): see to it that no other run writes there"
        except BaseException:
            self._work.close()
            raise
        return ""

    def run(self) -> ExitStatus:
        """Run what is left to run."""
        output, options = self._folders.output, self._options
        views = self._views = Views(output / "logs", dashboard=options.dashboard, loglevel=options.loglevel)
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
                report, table = report_of_run(views.run_dir), tables_of_run(output)
                if options.profile is not None:
                    status = write_profile_of_run(options.profile, views.run_dir / JOURNAL_NAME, status)
            with screen_may_be_gone():
                print_summary(views.state, views.run_dir, output, report, table)
        return status

    def _drive(self, machine: Machine) -> ExitStatus:
        with self._views:
            try:
                self._begin()
                thinkers = Thinkers(self._forecaster, Adviser())
                drive(self._scheduler, machine, self._observe, thinkers, self._learner)
            finally:
                machine.close()
                with suppress(OutputError):  # it was told at the beginning, or of a step
                    self._describe_dataset()
                self._work.close()
                self._claim.release()
            for ended in self._tracker.finish():
                self._views.emit(ended)
            outcomes = self._tracker.outcomes | {r.scan: ScanOutcome.REFUSED for r in self._plan.refusals}
            status = _exit_status(outcomes.values(), machine.stop_signal)
            self._views.emit(RunEnded(exit_status=status, scans={scan: o.value for scan, o in outcomes.items()}))
        return status

    def _begin(self) -> None:
        plan, folders = self._plan, self._folders
        self._views.emit(
            RunStarted(
                command=self._options.command,
                version=__version__,
                ants=str(plan.programs.ants),
                host=host(),
                pid=os.getpid(),
                cpus=self._budget.cpus.amount,
                mem_bytes=self._budget.mem.amount,
                budget=str(self._budget),
                scans=_count_by_scan(plan.graph, plan.graph.steps),
                reused=_count_by_scan(plan.graph, self._done),
                settings=plan.settings.described(),
                folders={
                    "dataset": str(folders.dataset),
                    "output": str(folders.output),
                    "work": str(folders.work),
                },
            )
        )
        budget = self._budget
        if budget.others:
            self._views.emit(Notice(text=f"other limits: {'; '.join(budget.others)}", level="DEBUG"))
        step_logs = f"logs of steps: {self._views.step_logs.path('<scan>/<step>')}"
        for text in (*self._options.notices, *map(str, plan.notices), *budget.notices, f"budget: {budget}", step_logs):
            self._views.emit(Notice(text=text))
        for text in (*budget.warnings, *filter(None, [self._unlocked])):
            self._views.emit(Notice(text=text, level="WARNING"))
        for warned in plan.warned:
            self._views.emit(Notice(text=f"{warned.scan}: {warned.message}", level="WARNING", scan=warned.scan))
        self._tell_estimates()
        self._tell_warnings()
        for notice in notices_of(self._survey, folders):
            self._views.emit(notice)
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
        for text in filter(None, (guesses(left, plan.estimates), elsewhere)):
            self._views.emit(Notice(text=text))
        for line in table(left, plan.estimates):
            self._views.emit(Notice(text=line, level="DEBUG"))

    def _emit(self, event: RunEvent) -> None:
        self._views.emit(event)
        self._emit_all(self._failing.follow(event))
        for ended in self._tracker.follow(event):
            self._views.emit(ended)
            self._emit_all(self._failing.follow(ended))
        self._emit_all(self._readiness.follow(event))
        if isinstance(event, StepEnded):
            with suppress(OutputError):  # so will be the step that meets the same trouble
                self._describe_dataset()
        failed = isinstance(event, StepEnded) and event.outcome is Outcome.FAILED
        if failed and self._options.stop_on_first_crash:
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
        running = counted(len(self._views.state.running), "step")
        self._views.emit(Notice(text=f"{running} running, {self._scheduler.leader}; what waits:"))
        for name, why in waiting_steps(self._scheduler, self._machine.now(), N_WAITING_LOGGED):
            self._views.emit(Notice(text=f"  {name} {why}"))


def _learner(plan: Plan, jobs: Sequence[Job], budget: Resources, tell: Callable[[Learnt], None]) -> Learner:
    """Of the steps that are left to run."""
    steps = [plan.graph.steps[job.name] for job in jobs]
    expected = {step.name: plan.estimates.of(step.kind, step.variant, step.voxels, step.program) for step in steps}
    return Learner(
        jobs,
        {step.name: (step.variant, step.voxels) for step in steps},
        budget,
        fixed=[name for name, estimate in expected.items() if estimate.source is Source.FILE],
        fixed_times=[name for name, estimate in expected.items() if estimate.time_source is Source.FILE],
        tell=tell,
    )


def _count_by_scan(graph: Graph, names: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        scan = graph.steps[name].scan
        counts[scan] = counts.get(scan, 0) + 1
    return counts


def _exit_status(outcomes: Collection[ScanOutcome], stop_signal: int | None) -> ExitStatus:
    """The status; a signal that came when all was done changes nothing."""
    if stop_signal is not None and ScanOutcome.STOPPED in outcomes:
        return ExitStatus(SIGNALLED + stop_signal)
    bad = {ScanOutcome.FAILED, ScanOutcome.REFUSED, ScanOutcome.STOPPED}
    return ExitStatus.SCAN_FAILED if bad.intersection(outcomes) else ExitStatus.SUCCESS
