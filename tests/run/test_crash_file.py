"""Crash files: the facts, and what to do about each cause, with real children that die of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from small_runs import World, script
from stories import FAILED, USAGE

from tntpipe.journal.events import Outcome, StepEnded
from tntpipe.run.crash_causes import CAUSES, Death, cause_of
from tntpipe.run.crash_file import crash_name, crash_text


def test_a_crash_text_tells_how_to_see_it_again(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "log.txt").write_bytes(b"first\n" * 50_000 + b"\n\xff the reason\n")
    text = crash_text(dataclasses.replace(FAILED, folder=str(folder)))
    assert "exit status 3" in text and "61.0 s, 60.4 CPU-seconds, peak memory 1.0 GiB" in text
    assert f"cd '{folder}' && sh 'a b'" in text
    assert "\ufffd the reason" in text and text.count("first") < 50
    assert crash_name(FAILED, "now") == "crash-s-a-now.txt"


def test_a_crash_before_any_command_points_at_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.txt").write_text("not ours")
    text = crash_text(dataclasses.replace(FAILED, argv=(), usage=None))
    assert "not ours" not in text and "cd" not in text.split() and "What to do next" in text


DEATHS = (
    ("kill -SEGV $$", "the program crashed", "--exclude_participant_labels 01"),
    ("kill -ABRT $$", "the program crashed", "in/"),
    ("sh -c 'kill -SEGV $$'; exit $?", "the program crashed", "in/"),
    ("kill -HUP $$", "it was killed", "nothing is wrong with the scan"),
    ("kill -ILL $$", "the program needs another processor", "$ANTSPATH"),
    ("kill -XCPU $$", "a limit of the system on one process", "ulimit -a"),
    ("echo 'OSError: [Errno 28] No space left on device'; exit 1", "a disk is full", "df -h"),
    ("echo 'cannot write: Disk quota exceeded'; exit 1", "a disk is full", "quota"),
    ("exec /no/such/program", "a program cannot be run", "--dry_run"),
    ("echo 'error while loading shared libraries: libz.so'; exit 127", "a program cannot be run", "$ANTSPATH"),
    ("cat /no/such/image; exit 1", "a file is not there or was changed", "nobody moves"),
    ("echo \"ModuleNotFoundError: No module named 'x'\"; exit 1", "a Python package is missing or broken", "pip check"),
    ("echo 'Permission denied: x'; exit 1", "a file may not be read or written", "permissions"),
)


@pytest.mark.parametrize(("text", "cause", "advice"), DEATHS, ids=[text for text, _, _ in DEATHS])
def test_each_cause_has_its_own_advice(world: World, text: str, cause: str, advice: str) -> None:
    said = crash_of(world, script("sub-01_run-2/a", text))
    assert f"cause    {cause}\n" in said
    assert advice in said.partition("What to do next:")[2]


def crash_of(world: World, step: object) -> str:
    """The crash file of a step that fails."""
    world.run([step])  # type: ignore[list-item]
    (failed,) = (e for e in world.events if isinstance(e, StepEnded) and e.outcome is Outcome.FAILED)
    return crash_text(failed)


def test_a_program_that_is_not_there_is_told_as_such(world: World) -> None:
    said = crash_of(world, script("s/a", "", program="missing"))
    assert "cause    a program cannot be run\n" in said and "/nonexistent/program" in said


def test_a_kill_that_was_not_for_memory_is_no_fault_of_the_scan() -> None:
    """Not with a real child: whether the kernel killed for memory meanwhile, anywhere on the machine, is asked then."""
    said = crash_text(
        dataclasses.replace(FAILED, message="killed by SIGKILL", usage=dataclasses.replace(USAGE, exit_code=-9))
    )
    assert "cause    it was killed\n" in said and "give the same command again" in said


def test_memory_that_ran_out_is_told_with_what_to_give(tmp_path: Path) -> None:
    message = "out of memory: the kernel killed it; it needs more than the whole budget"
    said = crash_text(dataclasses.replace(FAILED, message=message, usage=dataclasses.replace(USAGE, exit_code=-9)))
    assert "cause    memory ran out\n" in said and "--memory_gb" in said


def test_a_full_disk_is_told_with_what_is_free_there(tmp_path: Path) -> None:
    folder = tmp_path / "gone/with the step"
    said = crash_text(dataclasses.replace(FAILED, message="[Errno 28] No space left on device", folder=str(folder)))
    free = next(line for line in said.splitlines() if line.startswith("free "))
    assert f"GiB on the disk of {tmp_path}," in free


def test_of_a_cause_that_is_not_known_none_is_said() -> None:
    said = crash_text(FAILED)
    assert "\ncause" not in said and said.count("  * ") == 2


def test_the_named_log_is_shown_where_there_is_one(tmp_path: Path) -> None:
    log = tmp_path / "steps/s/a.txt"
    log.parent.mkdir(parents=True)
    log.write_text("the reason\n")
    said = crash_text(FAILED, run_log=tmp_path / "run.log", step_log=log)
    assert f"Last lines of {log}:\n  the reason\n" in said and f"run      {tmp_path / 'run.log'}" in said


def test_every_advice_is_in_whole_lines_that_fit() -> None:
    for cause in CAUSES:
        assert all(len(line) <= 110 for line in cause.advice)
        assert cause.advice[-1].endswith(".")
    assert cause_of(Death(exit_code=3, text="", scan="")) is None
