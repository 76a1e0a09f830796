"""Two runs at once: on one work folder, on the same scans of one output folder, and on different ones."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_ants import Place, Run, write_programs, write_scans
from processes import until

ALONE = ("--participant_labels", "01")
OTHER = ("--participant_labels", "02")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Two scans and an ANTs that sleeps; nothing that a test starts is left."""
    write_scans(tmp_path / "bids", "01", "02")
    write_programs(tmp_path / "ants", "exec sleep 300")
    place = Place(tmp_path)
    yield place
    place.close()


def started(place: Place, work: str, *options: str, before: str = "") -> Run:
    """A run with a work folder of its own whose first steps run."""
    run = place.start("-w", str(place.root / work), *options, before=before, said=work)
    until(lambda: "of them to run" in run.said or run.process.poll() is not None)
    return run


def test_a_second_run_on_the_same_scans_is_told_who_writes_them(place: Place) -> None:
    first = started(place, "one")
    second = started(place, "two", *OTHER)
    assert second.status() == 75
    assert f"process {first.process.pid}, since 20" in second.said and "the results of sub-02 into" in second.said
    first.process.terminate()
    assert first.status() == 143


def test_two_runs_on_different_scans_share_an_output_folder(place: Place) -> None:
    first, second = started(place, "one", *ALONE), started(place, "two", *OTHER)
    assert (first.process.poll(), second.process.poll()) == (None, None), second.said
    assert len(list((place.out / "logs/running").glob("*.json"))) == 2
    for run in (first, second):
        run.process.terminate()
        assert run.status() == 143
    assert list((place.out / "logs/running").glob("*.json")) == []


def test_two_methods_do_not_share_an_output_folder_at_a_time(place: Place) -> None:
    first = started(place, "one", *ALONE)
    second = started(place, "two", *OTHER, "--random_seed", "2")
    assert second.status() == 75
    assert "writes results of another method into" in second.said and "its random_seed differs" in second.said
    first.process.terminate()
    assert first.status() == 143


def test_a_second_run_on_a_work_folder_is_told_who_holds_it(place: Place) -> None:
    first = started(place, "one", *ALONE)
    second = place.start("-w", str(place.root / "one"), *OTHER, said="second")
    assert second.status() == 75
    assert f"process {first.process.pid}, since 20" in second.said and "--working_directory" in second.said


def test_what_a_killed_run_held_is_free(place: Place) -> None:
    first = started(place, "one")
    first.process.send_signal(signal.SIGKILL)
    first.status()
    second = started(place, "one")
    assert second.process.poll() is None, second.said
    (claim,) = (place.out / "logs/running").glob("*.json")
    assert f"process {second.process.pid}," in json.loads(claim.read_text())["holder"]


def test_of_runs_that_start_at_the_same_time_one_goes_on(place: Place) -> None:
    runs = [place.start("-w", str(place.root / f"work{n}"), said=f"said{n}") for n in range(3)]
    until(lambda: sum(run.process.poll() == 75 for run in runs) == 2)
    until(lambda: any("of them to run" in run.said for run in runs))


def test_without_locks_a_run_goes_on_and_says_so(place: Place) -> None:
    no_locks = (
        "import errno, fcntl\n"
        "def flock(*_):\n"
        "    raise OSError(errno.ENOSYS, 'Function not implemented')\n"
        "fcntl.flock = flock"
    )
    run = started(place, "one", before=no_locks)
    assert run.process.poll() is None
    assert "no file locks at" in run.said and "see to it that no other run writes there" in run.said
