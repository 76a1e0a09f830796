"""Real children: what runs, what is redone, what is left when something goes wrong."""

from __future__ import annotations

import errno
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_mock import MockerFixture
from small_runs import COMMANDS, World, script

from tntpipe.executors.children import environment
from tntpipe.executors.machine import Machine
from tntpipe.formatting import GIB, MIB
from tntpipe.journal.events import Notice, Outcome, RunEvent, StepEnded
from tntpipe.resources import Resources
from tntpipe.run.crash_file import crash_text
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.steps.graph import build_graph
from tntpipe.steps.step import Step
from tntpipe.store.derivatives import Derivatives


def ended(world: World, name: str) -> StepEnded:
    return next(event for event in world.events if isinstance(event, StepEnded) and event.name == name)


def test_a_step_reads_what_another_made_and_its_derivative_appears(world: World) -> None:
    steps = [script("s/a", "echo one > out"), script("s/b", "cat in/0 in/0 > out", "s/a/out", export="sub/b.txt")]
    assert world.run(steps) == {"s/a": "done", "s/b": "done"}
    assert (world.root / "out/sub/b.txt").read_text() == "one\none\n"
    assert json.loads((world.root / "out/sub/b.json").read_text()) == {"Made": "by a test"}
    assert list((world.root / "work/scratch").iterdir()) == []


def test_a_rerun_runs_nothing(world: World) -> None:
    steps = [script("s/a", "echo one > out"), script("s/b", "cat in/0 > out", "s/a/out")]
    world.run(steps)
    assert world.run(steps) == {"s/a": "reused", "s/b": "reused"}


def test_a_changed_input_redoes_exactly_what_depends_on_it(world: World) -> None:
    source = world.root / "scan"
    source.write_text("first")

    def run() -> dict[str, str]:
        return world.run(
            [
                script("s/a", "cat in/0 > out", source),
                script("s/b", "cat in/0 > out", "s/a/out"),
                script("t/c", "date > out"),
            ]
        )

    run()
    source.write_text("other")
    assert run() == {"s/a": "done", "s/b": "done", "t/c": "reused"}
    assert (world.root / "work/steps/s/b/out").read_text() == "other"


def test_a_step_redone_to_the_same_bytes_stops_the_chain(world: World) -> None:
    world.run([script("s/a", "echo one > out"), script("s/b", "cat in/0 > out", "s/a/out")])
    changed = [script("s/a", "echo  one > out"), script("s/b", "cat in/0 > out", "s/a/out")]
    assert world.run(changed) == {"s/a": "done", "s/b": "reused"}


def test_a_new_version_of_the_program_redoes_its_steps(world: World) -> None:
    steps = [script("s/a", "echo one > out")]
    world.run(steps)
    world.versions = world.versions | {"sh": "2"}
    assert world.run(steps) == {"s/a": "done"}


def test_a_deleted_derivative_is_published_again_without_computing(world: World) -> None:
    steps = [script("s/a", "date +%N > out", export="sub/a.txt")]
    world.run(steps)
    before = (world.root / "out/sub/a.txt").read_text()
    (world.root / "out/sub/a.txt").unlink()
    assert world.run(steps) == {"s/a": "reused"}
    assert (world.root / "out/sub/a.txt").read_text() == before


def test_a_shortened_output_is_made_again(world: World) -> None:
    steps = [script("s/a", "echo one > out")]
    world.run(steps)
    (world.root / "work/steps/s/a/out").write_text("o")
    assert world.run(steps) == {"s/a": "done"}


def test_the_work_folder_may_move(world: World) -> None:
    steps = [script("s/a", "echo one > out"), script("s/b", "cat in/0 > out", "s/a/out")]
    world.run(steps)
    moved = World(world.root / "elsewhere")
    moved.root.mkdir()
    (world.root / "work").rename(moved.root / "work")
    assert moved.run(steps) == {"s/a": "reused", "s/b": "reused"}


def test_a_failed_step_costs_only_what_follows_it(world: World) -> None:
    steps = [
        script("s/a", "echo the reason >&2; exit 3"),
        script("s/b", "cat in/0 > out", "s/a/out"),
        script("t/a", "echo fine > out"),
    ]
    assert world.run(steps) == {"s/a": "failed", "t/a": "done"}
    failed = ended(world, "s/a")
    assert failed.message == "exit status 3: the reason"
    text = crash_text(failed)
    assert "the reason" in text and "exit status 3" in text and "/bin/sh -c" in text and "peak memory" in text
    assert Path(failed.folder).is_dir()


def test_a_scan_that_vanishes_fails_its_own_steps_only(world: World) -> None:
    source = world.root / "scan"
    source.write_text("here")
    steps = [script("s/a", "cat in/0 > out", source), script("t/a", "echo fine > out")]
    world.run(steps)
    source.unlink()
    assert world.run(steps) == {"s/a": "failed", "t/a": "reused"}
    assert "No such file" in ended(world, "s/a").message and str(source) in ended(world, "s/a").message


def test_a_full_disk_fails_the_step_that_meets_it(world: World, mocker: MockerFixture) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    mocker.patch("tntpipe.store.work_folder.WorkFolder.prepare", side_effect=full)
    assert world.run([script("s/a", "echo > out")]) == {"s/a": "failed"}
    assert "No space left on device" in ended(world, "s/a").message


def test_a_child_killed_by_a_signal_is_told_in_words(world: World) -> None:
    world.run([script("s/a", "kill -SEGV $$")])
    assert "SIGSEGV" in ended(world, "s/a").message and "crashed" in ended(world, "s/a").message


def test_a_program_that_cannot_be_started_fails_its_step(world: World) -> None:
    assert world.run([script("s/a", "x", program="missing"), script("t/a", "echo > out")]) == {
        "s/a": "failed",
        "t/a": "done",
    }
    assert "could not be started" in ended(world, "s/a").message


def test_a_step_that_makes_nothing_has_failed(world: World) -> None:
    assert world.run([script("s/a", "true")]) == {"s/a": "failed"}
    assert "its output out was not written" in ended(world, "s/a").message
    assert not (world.root / "work/steps/s/a").exists()


def test_a_derivative_never_leaves_the_output_folder(world: World) -> None:
    (world.root / "out").mkdir()
    (world.root / "elsewhere").mkdir()
    (world.root / "out/sub").symlink_to(world.root / "elsewhere")
    assert world.run([script("s/a", "echo > out", export="sub/a.txt")]) == {"s/a": "failed"}
    assert "leads out of the output folder" in ended(world, "s/a").message
    assert list((world.root / "elsewhere").iterdir()) == []


def test_an_interruption_stops_children_and_starts_nothing_more(world: World) -> None:
    began = time.monotonic()
    steps = [script("s/a", "sleep 60 & echo $! > pid; wait"), script("s/b", "cat in/0 > out", "s/a/out")]
    assert world.run(steps, stop_after="s/a") == {"s/a": "stopped"}
    assert time.monotonic() - began < 30
    assert list((world.root / "work/scratch").iterdir()) == []
    assert world.run([script("s/a", "echo > out")]) == {"s/a": "done"}


def test_nothing_that_a_step_leaves_running_outlives_it(world: World) -> None:
    world.run([script("s/a", "sleep 60 & echo $! > out")])
    pid = int((world.root / "work/steps/s/a/out").read_text())
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and Path(f"/proc/{pid}").exists() and not is_zombie(pid):
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists() or is_zombie(pid)


def is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_usage_is_measured_and_recorded(world: World) -> None:
    world.run([script("s/a", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo > out")])
    used = ended(world, "s/a").usage
    assert used is not None and used.wall_s >= used.cpu_s * 0.5 > 0
    assert used.peak_bytes > 100_000
    record = json.loads((world.root / "work/steps/s/a/record.json").read_text())
    assert record["usage"]["cpus"] == 1 and round(record["usage"]["cpu_s"], 3) == used.cpu_s


def test_a_child_has_as_many_threads_as_cpus_and_a_small_environment() -> None:
    kept = environment(3, {"PATH": "/bin", "AWS_SECRET": "x", "LD_PRELOAD": "y"})
    assert kept["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] == kept["OMP_NUM_THREADS"] == "3"
    assert "AWS_SECRET" not in kept and "LD_PRELOAD" not in kept


def test_only_steps_whose_result_does_not_depend_on_threads_get_several(world: World) -> None:
    command = "echo $ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS $OPENBLAS_NUM_THREADS > out"
    free, one = replace(script("s/free", command), moldable=True), script("s/one", command)
    world.run([free, one], cpus=3, each=3)
    assert (world.root / "work/steps/s/free/out").read_text() == "3 3\n"
    assert (world.root / "work/steps/s/one/out").read_text() == "1 1\n"


def driven(world: World, out: Path, number: signal.Signals, text: str, asked: Callable[[], None]) -> Machine:
    """A run of one step that gets a signal as soon as the step has started."""
    graph = build_graph([script("s/a", text)], {"sh"})
    machine = Machine(
        graph,
        world.work,
        Derivatives(out, world.work),
        {"sh": ("/bin/sh", "-c")},
        lambda event: os.kill(os.getpid(), number) if type(event).__name__ == "StepStarted" else None,
        GIB,
        asked=asked,
    )
    with machine.signals():
        drive(Scheduler([Job(name="s/a", request=Resources(1, MIB), wall_s=1.0)], Resources(1, MIB)), machine)
    machine.close()
    return machine


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_to_the_run_ends_it_in_good_order(world: World, number: signal.Signals, tmp_path: Path) -> None:
    machine = driven(world, tmp_path / "out", number, "sleep 60", lambda: None)
    assert machine.stop_signal == number


def test_sigusr1_asks_how_things_stand_and_stops_nothing(world: World, tmp_path: Path) -> None:
    asked: list[int] = []
    machine = driven(world, tmp_path / "out", signal.SIGUSR1, "sleep 0.2; echo x > out", lambda: asked.append(1))
    assert asked == [1]
    assert machine.stop_signal is None
    assert (world.work.folder("s/a") / "out").exists()


def test_a_sentinel_that_cannot_live_is_tried_three_times_and_told_of(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where Python needs variables that nobody hands on."""
    n_started = 0

    def short_lived(*_words: str, **_options: object) -> tuple[str, ...]:
        nonlocal n_started
        n_started += 1
        return ("false",)

    monkeypatch.setattr("tntpipe.executors.sentinel.python_command", short_lived)
    world.run([script("s/a", "sleep 1; echo made > out"), script("s/b", "echo made > out")], cpus=1)
    notices = [event for event in world.events if isinstance(event, Notice)]
    told = [notice for notice in notices if "ends as soon as it is started" in notice.text]
    assert n_started == 3 and [event.level for event in told] == ["WARNING"]
    assert [event.outcome for event in world.events if isinstance(event, StepEnded)] == [Outcome.DONE, Outcome.DONE]


def test_a_signal_stops_a_run_that_only_publishes_again_on_a_slow_disk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"s{number}/a" for number in range(40)]
    steps = [script(name, "echo made > out", export=f"{name}.txt") for name in names]
    world.run(steps, cpus=4)
    graph, published = build_graph(steps, {"sh"}), Derivatives.publish_again
    ticks: list[float] = []
    n_ticks_meanwhile: list[int] = []

    def slowly(derivatives: Derivatives, step: Step) -> None:
        before, deadline = len(ticks), time.monotonic() + 10
        while len(ticks) < before + 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        n_ticks_meanwhile.append(len(ticks) - before)
        published(derivatives, step)

    def emit(event: RunEvent) -> None:
        ended.append(event)
        if len(ended) == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    ended: list[RunEvent] = []
    monkeypatch.setattr(Derivatives, "publish_again", slowly)
    elsewhere = Derivatives(world.root / "another-out", world.work)
    machine = Machine(
        graph, world.work, elsewhere, COMMANDS, emit, GIB, tick=lambda: ticks.append(machine.now()), tick_s=0.05
    )
    jobs = [Job(name=name, request=Resources(1, MIB), wall_s=1.0) for name in names]
    with machine.signals():
        drive(Scheduler(jobs, Resources(2, GIB)), machine)
    machine.close()
    assert machine.stop_signal == signal.SIGTERM
    assert 3 <= len(ended) <= 5
    assert {event.outcome for event in ended if isinstance(event, StepEnded)} == {Outcome.REUSED}
    assert min(n_ticks_meanwhile) >= 3, "the screen stood still"
