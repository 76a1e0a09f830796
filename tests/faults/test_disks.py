"""Disks that are full, read-only, slow, forgetful or gone: what fails, what goes on, and that the next run mends it."""

from __future__ import annotations

import errno
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from cli_runs import EXAMPLE, PACKAGE
from fake_ants import Place, write_programs, write_scans
from processes import until
from small_disks import SmallDisk, small_disk
from small_runs import World, script

from tntpipe.journal.events import StepEnded
from tntpipe.pipeline.model import built_in_model
from tools.coarse_heads import coarse

__all__ = ["small_disk"]

AGAIN = "then give the same command again"
NO_FIELD = (
    "import nibabel; head = nibabel.load('in/T1w.nii.gz'); "
    "nibabel.Nifti1Image(head.get_fdata() * 0 + 1, head.affine).to_filename('field.nii.gz')"
)
COPIES = f'case "$0" in *N4*) {sys.executable} -c "{NO_FIELD}";; *) exit 3;; esac'
"""An ANTs whose bias correction changes nothing; all its other programs fail."""


def messages(world: World) -> dict[str, str]:
    return {event.name: event.message for event in world.events if isinstance(event, StepEnded) and event.message}


@pytest.fixture
def on_small_disk(tmp_path: Path, small_disk: SmallDisk) -> World:
    """A world whose work folder is on the small disk, its output elsewhere."""
    (tmp_path / "work").symlink_to(small_disk.path)
    return World(tmp_path)


def test_a_full_work_disk_fails_the_steps_that_meet_it_and_a_later_run_does_those_alone(
    on_small_disk: World, small_disk: SmallDisk
) -> None:
    steps = [
        script("s/a", "head -c 400000 /dev/zero > out"),
        script("t/a", "sleep 0.5; echo small > out", export="sub/t.txt"),
    ]
    assert on_small_disk.run(steps) == {"s/a": "failed", "t/a": "done"}
    assert f"{on_small_disk.root}/work has 0 bytes of room left. Make room there" in messages(on_small_disk)["s/a"]
    small_disk.remount("size=2m")
    assert on_small_disk.run(steps) == {"s/a": "done", "t/a": "reused"}


def test_a_disk_without_any_room_fails_steps_in_words(on_small_disk: World, small_disk: SmallDisk) -> None:
    steps = [script("s/a", "echo > out"), script("s/b", "cat in/0 > out", "s/a/out")]
    on_small_disk.run(steps[:1])
    small_disk.fill()
    assert on_small_disk.run(steps) == {"s/a": "reused", "s/b": "failed"}
    message = messages(on_small_disk)["s/b"]
    assert f"{on_small_disk.root}/work has 0 bytes of room left. Make room there" in message and AGAIN in message
    small_disk.make_room()
    assert on_small_disk.run(steps) == {"s/a": "reused", "s/b": "done"}


def test_an_image_that_ants_leaves_cut_short_on_a_full_disk_is_never_published(
    on_small_disk: World, small_disk: SmallDisk, tmp_path: Path
) -> None:
    """The real N4: it says nothing and ends with status 0."""
    name = "sub-colin27/anat/sub-colin27_T1w.nii.gz"
    coarse(EXAMPLE / name, tmp_path / "scan.nii.gz")
    ants = f"unset TNTPIPE_PARENT_PID; PYTHONPATH={PACKAGE.parent} {sys.executable} -m tntpipe.programs.ants"
    n4 = f"{ants} N4BiasFieldCorrection -d 3 -c [2,0]"
    step = script("s/n4", f"{n4} -i {tmp_path}/scan.nii.gz -o out.nii.gz", makes="out.nii.gz", export="sub/x.nii.gz")
    small_disk.remount("size=100k")
    assert on_small_disk.run([step]) == {"s/n4": "failed"}
    message = messages(on_small_disk)["s/n4"]
    assert "out.nii.gz is cut short" in message and "full disk" in message and AGAIN in message
    assert not (tmp_path / "out/sub/x.nii.gz").exists()
    small_disk.remount("size=4m")
    assert on_small_disk.run([step]) == {"s/n4": "done"}


@pytest.fixture
def output_on_small_disk(tmp_path: Path, small_disk: SmallDisk) -> World:
    """A world whose output folder is on the small disk, its work folder on another file system."""
    (tmp_path / "out").symlink_to(small_disk.path)
    return World(tmp_path)


STEPS = [
    script("s/a", "head -c 100000 /dev/zero > out", export="sub/a"),
    script("s/b", "cat in/0 > out", "s/a/out"),
    script("t/a", "echo > out"),
]


def test_a_full_output_disk_costs_no_computing_and_leaves_no_half_file(
    output_on_small_disk: World, small_disk: SmallDisk
) -> None:
    small_disk.fill()
    assert output_on_small_disk.run(STEPS) == {"s/a": "failed", "t/a": "done"}
    assert (
        "/out/sub/a cannot be written: No space left on device. Make room there"
        in messages(output_on_small_disk)["s/a"]
    )
    assert list(small_disk.path.rglob("*.tmp")) == []
    small_disk.make_room()
    assert output_on_small_disk.run(STEPS) == {"s/a": "reused", "s/b": "done", "t/a": "reused"}
    assert (small_disk.path / "sub/a").stat().st_size == 100_000


def test_a_read_only_output_costs_no_computing(output_on_small_disk: World, small_disk: SmallDisk) -> None:
    small_disk.remount("ro")
    assert output_on_small_disk.run(STEPS) == {"s/a": "failed", "t/a": "done"}
    message = messages(output_on_small_disk)["s/a"]
    assert "/out/sub cannot be made: Read-only file system. See to it that you may write there" in message
    small_disk.remount("rw")
    assert output_on_small_disk.run(STEPS) == {"s/a": "reused", "s/b": "done", "t/a": "reused"}


def test_a_server_that_forgets_a_file_costs_its_step_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, rename = World(tmp_path), Path.rename

    def forgetful(source: Path, destination: Path) -> Path:
        if destination.name == "a":
            raise OSError(errno.ESTALE, "Stale file handle", str(source), None, str(destination))
        return rename(source, destination)

    steps = [script("s/a", "echo > out"), script("t/b", "echo > out")]
    monkeypatch.setattr(Path, "rename", forgetful)
    assert world.run(steps) == {"s/a": "failed", "t/b": "done"}
    assert "Stale file handle. See to the disk or the file server" in messages(world)["s/a"]
    monkeypatch.setattr(Path, "rename", rename)
    assert world.run(steps) == {"s/a": "done", "t/b": "reused"}


def test_slow_renames_lose_nothing_and_are_not_counted_as_a_steps_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, rename = World(tmp_path), Path.rename
    monkeypatch.setattr(Path, "rename", lambda a, b: time.sleep(1.5) or rename(a, b))
    all_of_them = script("s/all", "cat in/* > out", *(f"s/{number}/out" for number in range(4)))
    steps = [*(script(f"s/{number}", "echo > out") for number in range(4)), all_of_them]
    assert set(world.run(steps, cpus=4).values()) == {"done"}
    walls_s = [event.usage.wall_s for event in world.events if isinstance(event, StepEnded) and event.usage]
    assert min(walls_s) < 1.5


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    write_scans(tmp_path / "bids", "01", "02")
    place = Place(tmp_path)
    yield place
    place.close()


def test_a_run_whose_whole_output_disk_is_full_says_its_table(
    place: Place, small_disk: SmallDisk, tmp_path: Path
) -> None:
    """Journal, log and crash files lie there too."""
    (tmp_path / "out").symlink_to(small_disk.path)
    write_programs(tmp_path / "ants", COPIES)
    run = place.start("-w", str(tmp_path / "work"))
    until(lambda: "of them to run" in run.said)
    small_disk.fill()
    assert run.status() == 1
    assert "journal.jsonl cannot be written: No space left on device. The run goes on" in run.said
    assert "run.log lacks its last" in run.said
    assert "_T1w.nii.gz cannot be written: No space left on device. Make room there" in run.said
    assert "0 done, 2 failed" in run.said and "Traceback" not in run.said


def to_the_corrected_brain(place: Place) -> list[str]:
    """Options by which N4 alone leads to a published image: a mask for each scan, and tags in place of an atlas."""
    for path in place.root.glob("bids/sub-*/anat/*_T1w.nii.gz"):
        scan = nib.load(path)
        mask = nib.Nifti1Image((np.asarray(scan.dataobj) > 500).astype(np.uint8), None, scan.header)
        mask.header.set_data_dtype(np.uint8)
        folder = place.root / "masks" / path.relative_to(place.root / "bids").parent
        folder.mkdir(parents=True, exist_ok=True)
        nib.save(mask, folder / path.name.replace("_T1w", "_desc-brain_mask"))
    tags = built_in_model().tags
    assert tags is not None
    return ["--brain_mask_dir", str(place.root / "masks"), "--tags", str(tags.path)]


def wait_until_only_ants_is_waited_for(out: Path) -> None:
    """Nothing has ended for a while: what is renamed now is not renamed in the middle of a publication."""
    before, n_ended = -1, 0
    while n_ended != before:
        time.sleep(1.5)
        (journal,) = out.glob("logs/run-*/journal.jsonl")
        before, n_ended = n_ended, journal.read_text(encoding="utf-8").count('"StepEnded"')


@pytest.mark.parametrize("what", ["work", "output"])
def test_a_folder_that_vanishes_is_said_and_a_later_run_begins_again(place: Place, what: str, tmp_path: Path) -> None:
    """The whole output with the work folder in it, or with the work folder elsewhere."""
    write_programs(tmp_path / "ants", f"until [ -e {tmp_path}/go ]; do sleep 0.1; done; {COPIES}")
    options = to_the_corrected_brain(place) + (["-w", str(tmp_path / "work")] if what == "output" else [])
    run = place.start(*options)
    until(lambda: all(list(place.out.glob(f"sub-{label}/anat/*.nii.gz")) for label in ("01", "02")))
    wait_until_only_ants_is_waited_for(place.out)
    place.out.rename(tmp_path / "away")
    (tmp_path / "go").touch()
    assert run.status() == 1
    folder = place.out if what == "output" else place.out / "work"
    assert f"The {what} folder {folder} was removed, or its disk unmounted, while the run used it. Put" in run.said
    assert "0 done, 2 failed" in run.said
    assert not (place.out / "sub-01").exists() and not (place.out / "work").exists()
    again = place.start(*options, said="again")
    assert again.status() == 1, "this ANTs does no more than bias correction"
    assert "bias_field failed" not in again.said
    assert len(list(place.out.glob("sub-*/anat/*_desc-nucor_T1w.nii.gz"))) == 2


def test_a_clock_that_jumps_changes_stamps_only(place: Place, tmp_path: Path) -> None:
    jumps = (
        "import itertools, time\n"
        "real, days = time.time, itertools.cycle((0, -1, 1, 400))\n"
        "time.time = lambda: real() + 86400 * next(days)"
    )
    write_programs(tmp_path / "ants", COPIES)
    options = to_the_corrected_brain(place)
    run = place.start(*options, before=jumps)
    assert run.status() == 1 and "Traceback" not in run.said
    assert len(list(place.out.glob("sub-*/anat/*_desc-nucor_T1w.nii.gz"))) == 2
    (journal,) = place.out.glob("logs/run-*/journal.jsonl")
    ended = [event for event in map(json.loads, journal.read_text().splitlines()) if event["event"] == "StepEnded"]
    walls_s = [event["usage"]["wall_s"] for event in ended if "usage" in event]
    assert walls_s and all(0 <= wall_s < 60 for wall_s in walls_s)
    again = place.start(*options, said="again")
    assert again.status() == 1 and "bias_field" not in again.said


def test_an_output_that_cannot_be_made_is_said_before_anything_runs(place: Place, small_disk: SmallDisk) -> None:
    (place.root / "out").symlink_to(small_disk.path)
    write_programs(place.root / "ants", COPIES)
    small_disk.remount("ro")
    run = place.start()
    assert run.status() == 73
    assert f"The work folder {place.out}/work cannot be made: Read-only file system. Name another one" in run.said
    run = place.start("-w", str(place.root / "work"), said="again")
    assert run.status() in (73, 74)
    assert "Read-only file system. See to it that you may write there" in run.said
