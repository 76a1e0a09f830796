"""One story, told twice: the simulated clock and real children give the scheduler the same turns."""

from __future__ import annotations

from pathlib import Path

from small_runs import COMMANDS, script

from tntpipe.executors.machine import Machine
from tntpipe.formatting import MIB
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import World, drive
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Action, Event, Grown
from tntpipe.simulation.simulator import SimulatedWorld
from tntpipe.steps.graph import build_graph
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.work_folder import WorkFolder

SECONDS = {"s/long": 0.9, "s/first": 0.3, "s/second": 0.3, "s/fails": 0.05, "s/dropped": 0.1, "s/large": 0.1}
STEPS = (
    script("s/long", "sleep 0.9; echo > out"),
    script("s/first", "sleep 0.3; echo > out"),
    script("s/second", "sleep 0.3; cat in/0 > out", "s/first/out"),
    script("s/fails", "sleep 0.05; cat in/0; exit 1", "s/second/out"),
    script("s/dropped", "cat in/0 > out", "s/fails/out"),
    script("s/large", "sleep 0.1; echo > out"),
)


def story(world: World) -> list[str]:
    """What was done and what happened, in order; memory lets the large one run alone only."""
    graph = build_graph(STEPS, COMMANDS)
    jobs = [
        Job(
            name=name,
            request=Resources(1, (8 if name == "s/large" else 1) * MIB),
            wall_s=seconds,
            follows=graph.follows[name],
        )
        for name, seconds in SECONDS.items()
    ]
    told: list[str] = []

    def observe(_now: float, happened: Event | Action) -> None:
        if not isinstance(happened, Grown):  # the simulated clock knows no memory
            told.append(f"{type(happened).__name__} {getattr(happened, 'name', '')}")

    drive(Scheduler(jobs, Resources(2, 8 * MIB)), world, observe)
    return told


def test_the_machine_and_the_simulated_clock_tell_the_same_story(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path / "work", {"sh": "1"})
    machine = Machine(
        build_graph(STEPS, COMMANDS), work, Derivatives(tmp_path / "out", work), COMMANDS, lambda event: None, 64 * MIB
    )
    real = story(machine)
    machine.close()
    simulated = story(SimulatedWorld(SECONDS, failures={"s/fails"}))
    assert real == simulated
    assert "Drop s/dropped" in real and real[-1] == "Ended s/large"
