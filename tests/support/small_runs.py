"""A small run of real children: steps that are shell scripts, in a work folder and an output folder of their own."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tntpipe.executors.machine import Machine
from tntpipe.formatting import MIB
from tntpipe.journal.events import RunEvent, StepEnded
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.steps.graph import build_graph
from tntpipe.steps.step import Export, Input, Place, Step
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.survey import Survey, survey
from tntpipe.store.work_folder import WorkFolder

COMMANDS = {"sh": ("/bin/sh", "-c"), "missing": ("/nonexistent/program",)}


def script(
    name: str, text: str, *sources: str | Path, export: str = "", makes: str = "out", program: str = "sh"
) -> Step:
    """A step ``<scan>/<kind>`` that runs a shell script, whose inputs are ``in/0``, ``in/1`` …"""
    scan, kind = name.split("/")
    return Step(
        place=Place(folder=scan, scan=scan),
        kind=kind,
        program=program,
        arguments=(text,),
        inputs=tuple(Input(str(number), source) for number, source in enumerate(sources)),
        outputs=(makes,),
        exports=(Export(makes, export, {"Made": "by a test"}),) if export else (),
    )


@dataclass
class World:
    """Runs steps; remembers what happened."""

    root: Path
    versions: dict[str, str] = field(default_factory=lambda: {"sh": "1", "missing": "1"})
    events: list[RunEvent] = field(default_factory=list)
    mem_bytes: int = 8 * 1024 * MIB
    survey: Survey | None = None

    @property
    def work(self) -> WorkFolder:
        return WorkFolder(self.root / "work", self.versions)

    def run(
        self,
        steps: Iterable[Step],
        cpus: int = 2,
        stop_after: str = "",
        alone: bool = False,
        each: int = 1,
        *,
        begins: bool = False,
        method: str = "",
    ) -> dict[str, str]:
        """Run the steps to their end; how each ended. ``stop_after``: interrupt when that step has started.
        ``each``: the CPUs of a step.

        ``alone``: the run is all that its process does, with the lock and the signals. ``begins``: it looks at what
        earlier runs have left first, as that of the command line does, and knows its ``method``.
        """
        graph = build_graph(steps, COMMANDS)
        work = self.work
        if alone:
            work.lock()
        self.events = []

        def emit(event: RunEvent) -> None:
            self.events.append(event)
            if stop_after and type(event).__name__ == "StepStarted" and event.name == stop_after:  # type: ignore[union-attr]
                machine.interrupt()

        derivatives = Derivatives(self.root / "out", work, {"name": method}, lambda end: end == "old.txt")
        if begins:
            derivatives.begin(list(graph))
            self.survey = survey(graph, work, derivatives)
            derivatives.withdraw_later(self.survey.due)
        machine = Machine(graph, work, derivatives, COMMANDS, emit, self.mem_bytes)
        jobs = [
            Job(name=step.name, request=Resources(each, MIB), wall_s=1.0, follows=graph.follows[step.name])
            for step in graph
        ]
        try:
            with machine.signals() if alone else nullcontext():
                drive(Scheduler(jobs, Resources(cpus, 64 * MIB)), machine)
        finally:
            machine.close()
            work.close()
        return {event.name: event.outcome.value for event in self.events if isinstance(event, StepEnded)}
