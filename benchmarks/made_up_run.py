"""A run that never was, as the events that its journal would hold: a made-up cohort under the scheduler on a simulated
clock, with scans that fail, steps that run out of memory once, and an interruption where one is wanted.

The graph, the requests, the estimates and the order of the events are those of real runs; what steps take and use is
drawn at random from around what was expected.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from benchmarks.cohorts import cohort_graph, true_times
from tntpipe.formatting import GIB, MIB
from tntpipe.journal.events import (
    Notice,
    Outcome,
    RetryCause,
    RunEnded,
    RunEvent,
    RunStarted,
    ScanOutcome,
    StepAdmitted,
    StepDropped,
    StepEnded,
    StepRetried,
    StepSampled,
    StepStarted,
    StepsWaiting,
)
from tntpipe.journal.usage import Usage
from tntpipe.profiling.estimates import Estimates
from tntpipe.resources import Resources
from tntpipe.run.jobs import jobs_of
from tntpipe.run.readiness import Readiness
from tntpipe.run.sample_thinning import Thinning
from tntpipe.run.scan_tracker import ScanTracker
from tntpipe.run.wait_reasons import waiting_steps
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Action, Drop, Ended, Event, Interrupted, Launch, Requeued
from tntpipe.simulation.simulator import SimulatedWorld
from tntpipe.steps.graph import Graph

BEGAN_T = 1_795_000_000.0
"""The instant of the first event, in November 2026."""

WAITING_S = 10.0
N_WAITING = 5

TimedEvent = tuple[float, RunEvent]


def made_up_run(
    n_scans: int,
    budget: Resources,
    *,
    seed: int = 1,
    preset: str = "reference",
    second_registration: bool = False,
    n_failing: int = 0,
    n_out_of_memory: int = 0,
    interrupted_at: float = math.inf,
    folder: str = "/data/derivatives/tntpipe",
    scan_name: Callable[[str], str] = str,
) -> list[TimedEvent]:
    """The events in order; ``scan_name`` makes a scan's name from a short one as ``sub-0001``."""
    graph = cohort_graph(n_scans, second_registration=second_registration, preset=preset)
    jobs = jobs_of(graph, Estimates(), (), None)
    registrations = [job.name for job in jobs if job.kind == "nonlinear_registration"]
    rng = random.Random(seed)
    unlucky = rng.sample(registrations, n_failing + n_out_of_memory)
    recorder = _Recorder(graph, jobs, budget, rng, failing=unlucky[:n_failing])
    world = _World(jobs, seed, unlucky[:n_failing], unlucky[n_failing:], interrupted_at)
    recorder.run(world, folder, preset)
    renamed = {step.scan: scan_name(step.scan) for step in graph if step.scan}
    return [(t, _renamed(event, renamed)) for t, event in sorted(recorder.events, key=lambda item: item[0])]


class _World(SimulatedWorld):
    """Some jobs end without a result at first, out of memory."""

    def __init__(
        self,
        jobs: Sequence[Job],
        seed: int,
        failing: Iterable[str],
        out_of_memory: Iterable[str],
        interrupted_at: float,
    ) -> None:
        super().__init__(true_times(list(jobs), seed), set(failing), jobs=jobs, interrupted_at=interrupted_at)
        self._out_of_memory = set(out_of_memory)
        self._requests: dict[str, int] = {}

    def launch(self, action: Launch) -> None:
        self._requests[action.name] = action.request.mem_bytes
        super().launch(action)

    def wait(self, *, block: bool = True) -> Sequence[Event]:
        return [self._taken(event) for event in super().wait(block=block)]

    def _taken(self, event: Event) -> Event:
        if isinstance(event, Ended) and event.name in self._out_of_memory:
            self._out_of_memory.remove(event.name)
            return Requeued(name=event.name, mem_bytes=self._requests[event.name] * 3 // 2)
        return event


class _Recorder:
    """Writes down what a real run would tell."""

    def __init__(
        self, graph: Graph, jobs: Sequence[Job], budget: Resources, rng: random.Random, failing: Iterable[str]
    ) -> None:
        self._graph, self._rng, self._failing = graph, rng, set(failing)
        self._budget = budget
        self._scheduler = Scheduler(jobs, budget)
        scans = dict.fromkeys(step.scan for step in graph if step.scan)
        self._tracker = ScanTracker(graph, scans, ())
        self._readiness = Readiness(graph, ())
        self._running: dict[str, tuple[float, Launch]] = {}
        self._n_tries: dict[str, int] = {}
        self._interrupted = False
        self._told_waiting = -math.inf
        self.events: list[TimedEvent] = []

    def run(self, world: SimulatedWorld, folder: str, preset: str) -> None:
        """Have the scheduler run it all."""
        self._tell(0.0, _run_started(self._graph, self._budget, folder, preset))
        self._tell(0.0, Notice(text=f"budget: {self._budget}"), *self._tracker.begin(), *self._readiness.begin())
        self._folder = folder
        drive(self._scheduler, world, self._observe)
        self._tell(world.now(), *self._tracker.finish())
        outcomes = {scan: outcome.value for scan, outcome in self._tracker.outcomes.items()}
        bad = ScanOutcome.FAILED.value in outcomes.values()
        self._tell(world.now(), RunEnded(exit_status=130 if self._interrupted else int(bad), scans=outcomes))

    def _tell(self, now: float, *events: RunEvent) -> None:
        self.events += [(BEGAN_T + now, event) for event in events]

    def _follow(self, now: float, event: RunEvent) -> None:
        self._tell(now, event, *self._tracker.follow(event), *self._readiness.follow(event))

    def _observe(self, now: float, happened: Event | Action) -> None:
        match happened:
            case Launch():
                self._launched(now, happened)
            case Ended():
                self._ended(now, happened)
            case Requeued():
                self._requeued(now, happened)
            case Drop(name=name, because=because):
                self._follow(now, StepDropped(name=name, scan=self._graph.steps[name].scan, because=because))
            case Interrupted():
                self._interrupted = True
        if now - self._told_waiting >= WAITING_S and self._running:
            self._told_waiting = now
            self._tell(now, StepsWaiting(steps=dict(waiting_steps(self._scheduler, now, N_WAITING))))

    def _launched(self, now: float, launch: Launch) -> None:
        step, request = self._graph.steps[launch.name], launch.request
        self._running[launch.name] = (now, launch)
        self._tell(
            now,
            StepAdmitted(
                name=step.name,
                cpus=request.cpus,
                mem_bytes=request.mem_bytes,
                expected_s=round(self._scheduler.expected_s(step.name), 1),
                why=launch.reason.value,
            ),
            StepStarted(
                name=step.name,
                scan=step.scan,
                kind=step.kind,
                cpus=request.cpus,
                mem_bytes=request.mem_bytes,
                pid=self._rng.randrange(2, 4_194_304),
            ),
        )

    def _ended(self, now: float, ended: Ended) -> None:
        step = self._graph.steps[ended.name]
        usage = self._usage(now, ended.name, exit_code=0 if ended.succeeded else 1)
        failed = ended.name in self._failing and not self._interrupted
        outcome = Outcome.DONE if ended.succeeded else Outcome.FAILED if failed else Outcome.STOPPED
        self._follow(
            now,
            StepEnded(
                name=step.name,
                scan=step.scan,
                kind=step.kind,
                outcome=outcome,
                usage=usage,
                message="exit status 1: Exception caught: the images share no voxel" if failed else "",
                argv=("antsRegistration", "--dimensionality", "3") if failed else (),
                folder="" if outcome is Outcome.STOPPED else f"{self._folder}/work/steps/{step.name}",
            ),
        )

    def _requeued(self, now: float, requeued: Requeued) -> None:
        step = self._graph.steps[requeued.name]
        self._n_tries[step.name] = self._n_tries.get(step.name, 0) + 1
        self._tell(
            now,
            StepRetried(
                name=step.name,
                scan=step.scan,
                kind=step.kind,
                cause=RetryCause.OUT_OF_MEMORY,
                n_tries=self._n_tries[step.name],
                mem_bytes=requeued.mem_bytes,
                usage=self._usage(now, step.name, exit_code=-9),
                message="was killed (SIGKILL): out of memory",
            ),
        )

    def _usage(self, now: float, name: str, exit_code: int) -> Usage:
        """What a step that ran until now used; its samples are told, too."""
        began, launch = self._running.pop(name)
        wall_s, request = now - began, launch.request
        busy = request.cpus * self._rng.uniform(0.6, 1.0)
        peak_bytes = int(request.mem_bytes * (self._rng.uniform(0.45, 0.97) if exit_code >= 0 else 1.03))
        samples = [_sample(name, age_s, wall_s, busy, peak_bytes, self._rng) for age_s in _looks(wall_s)]
        thinning = Thinning()
        for sample in filter(thinning.keeps, samples):
            self._tell(began + sample.age_s, sample)
        return Usage(
            wall_s=round(wall_s, 3),
            cpu_s=round(busy * wall_s, 3),
            peak_bytes=peak_bytes,
            max_cpus=round(min(request.cpus, busy * 1.1), 3),
            max_threads=request.cpus,
            n_samples=len(samples),
            exit_code=exit_code,
            read_bytes=self._rng.randrange(10**5, 10**8),
            written_bytes=self._rng.randrange(10**5, 10**8),
        )


def _looks(wall_s: float) -> Iterator[float]:
    """When a step is looked at: soon after its start, and then less and less often."""
    age_s = 0.05
    while age_s < wall_s:
        yield age_s
        age_s = min(age_s * 1.1, age_s + 2.0)


def _sample(name: str, age_s: float, wall_s: float, busy: float, peak_bytes: int, rng: random.Random) -> StepSampled:
    """A look at a step whose memory grows at first."""
    share = min(1.0, 0.3 + 1.4 * age_s / wall_s)
    return StepSampled(
        name=name,
        age_s=round(age_s, 3),
        cpu_s=round(busy * age_s, 3),
        cpus=round(busy, 3),
        rss_bytes=int(peak_bytes * share * rng.uniform(0.97, 1.0)),
        vms_bytes=peak_bytes + 300 * MIB,
    )


def _run_started(graph: Graph, budget: Resources, folder: str, preset: str) -> RunStarted:
    scans: dict[str, int] = {}
    for step in graph:
        scans[step.scan] = scans.get(step.scan, 0) + 1
    return RunStarted(
        command=("tntpipe", "/data/bids", folder, "participant", "--subcortical", "--intracranial_volume"),
        version="0.1.0",
        ants="ANTs 2.5.1 (native: /opt/ants/bin)",
        host={"name": "node17", "cpus": 48, "mem_bytes": 192 * GIB, "system": "Linux 6.1.0", "python": "3.11.7"},
        pid=4242,
        cpus=budget.cpus,
        mem_bytes=budget.mem_bytes,
        budget=f"{budget} (--n_proc; --memory_gb)",
        scans=scans,
        reused={},
        settings={
            "preset": preset,
            "brain_extraction": "template",
            "subcortical": True,
            "intracranial_volume": True,
            "max_shear_angle_rad": 1e-06,
            "random_seed": 1,
            "model": "MNI152NLin2009cAsym",
            "subcortical_model": None,
            "n_proc": budget.cpus,
            "memory_gb": budget.mem_bytes / GIB,
            "ants_n_proc": None,
        },
        folders={"dataset": "/data/bids", "output": folder, "work": f"{folder}/work"},
    )


def _renamed(event: RunEvent, scans: dict[str, str]) -> RunEvent:
    """The same of scans with other names."""
    changed: dict[str, object] = {}
    if getattr(event, "scan", ""):
        changed["scan"] = scans[event.scan]  # type: ignore[union-attr]
    for field in ("name", "because", "folder"):
        text = getattr(event, field, "")
        if text:
            changed[field] = _in_path(text, scans)
    if isinstance(event, RunStarted | RunEnded):
        changed["scans"] = {scans.get(scan, scan): value for scan, value in event.scans.items()}
    if isinstance(event, StepsWaiting):
        changed["steps"] = {_in_path(name, scans): why for name, why in event.steps.items()}
    return replace(event, **changed)  # type: ignore[arg-type]


def _in_path(text: str, scans: dict[str, str]) -> str:
    """A step's name, or a folder that ends with one, with the scan's other name."""
    return "/".join(scans.get(part, part) for part in text.split("/"))
