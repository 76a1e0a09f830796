"""The one loop and the simulated world."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from virtual_time import budget, job

from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.messages import Ended, Event, Interrupted, Launch, LaunchReason, Stop, Used
from tntpipe.simulation.simulator import SimulatedWorld, Span

CPU = Resources(1, 0)


def launch(name: str) -> Launch:
    return Launch(name=name, request=CPU, reason=LaunchReason.IN_ORDER)


class ScriptedWorld:
    """Reports given batches, one a second, and remembers what it was told to do."""

    def __init__(self, *batches: Sequence[Event]) -> None:
        self.batches = list(batches)
        self.done: list[Launch | Stop] = []
        self.clock = 0.0

    def now(self) -> float:
        return self.clock

    def launch(self, action: Launch) -> None:
        self.done.append(action)

    def stop(self, action: Stop) -> None:
        self.done.append(action)

    def wait(self, *, block: bool = True) -> Sequence[Event]:
        self.clock += 1
        return self.batches.pop(0)


def test_the_world_is_told_launches_and_stops_and_the_observer_all():
    jobs = [job("a"), job("b", "a"), job("c", wall_s=0.5), job("d", "c")]
    a_failed, c_ended = Ended(name="a", succeeded=False), Ended(name="c", succeeded=False)
    world = ScriptedWorld([a_failed], [Interrupted()], [c_ended])
    observed = []
    drive(Scheduler(jobs, budget(2)), world, lambda now, what: observed.append((now, type(what).__name__)))
    assert world.done == [launch("a"), launch("c"), Stop(name="c")]
    assert observed == [
        (0, "Launch"),
        (0, "Launch"),
        (1, "Ended"),
        (1, "Drop"),
        (2, "Interrupted"),
        (2, "Stop"),
        (3, "Ended"),
    ]


def test_an_action_is_observed_before_the_world_carries_it_out():
    world = ScriptedWorld([Ended(name="a", succeeded=True)])
    n_done_when_observed = []
    drive(Scheduler([job("a")], budget(1)), world, lambda now, what: n_done_when_observed.append(len(world.done)))
    assert n_done_when_observed == [0, 1]


def test_a_world_may_wake_with_nothing_to_report():
    world = ScriptedWorld([], [Ended(name="a", succeeded=True)])
    drive(Scheduler([job("a")], budget(1)), world)
    assert world.clock == 2


def test_with_no_jobs_nobody_waits():
    world = ScriptedWorld()
    drive(Scheduler([], budget(1)), world)
    assert world.clock == 0


def ends(world: SimulatedWorld) -> list[tuple[str, bool]]:
    return [(event.name, event.succeeded) for event in world.wait() if isinstance(event, Ended)]


def test_the_simulated_world_reports_all_ends_of_one_instant_together():
    world = SimulatedWorld({"a": 2, "b": 3, "c": 2}, failures={"c"})
    for name in "abc":
        world.launch(launch(name))
    assert ends(world) == [("a", True), ("c", False)]
    assert world.now() == 2
    assert world.wait() == [Ended(name="b", succeeded=True, used=Used(wall_s=3, cpus=1, peak_bytes=CPU.mem_bytes))]
    assert world.trace == (
        Span(name="a", request=CPU, began=0, ended=2, succeeded=True),
        Span(name="c", request=CPU, began=0, ended=2, succeeded=False),
        Span(name="b", request=CPU, began=0, ended=3, succeeded=True),
    )


def test_the_simulated_world_ends_a_stopped_job_at_once_and_only_once():
    world = SimulatedWorld({"a": 9}, interrupted_at=4)
    world.launch(launch("a"))
    assert world.wait() == [Interrupted()]
    world.stop(Stop(name="a"))
    assert ends(world) == [("a", False)]
    assert world.now() == 4
    assert world.wait() == []


def test_the_simulated_world_refuses_to_wait_for_nothing():
    with pytest.raises(RuntimeError, match="nothing would ever happen"):
        SimulatedWorld({}).wait()
