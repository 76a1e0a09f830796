"""The work folder: what counts as done, what a fingerprint covers, and what is swept away."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
from pathlib import Path

import pytest
from published_steps import open_folder, publish
from small_runs import script

from tntpipe.errors import BusyError, OutputError
from tntpipe.store.work_folder import last_log_line, remove_steps

RECORD = "work/steps/s/a/record.json"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "scan.nii"
    path.write_text("first")
    return path


def test_a_published_step_is_done_for_the_next_process(tmp_path: Path, source: Path) -> None:
    step = script("s/a", "x", source)
    assert not open_folder(tmp_path).is_done(step)
    publish(tmp_path, step)
    work = open_folder(tmp_path)
    assert work.is_done(step)
    record = work.record("s/a")
    assert record is not None and record.inputs.keys() == {"0"} and record.outputs["out"].size_bytes == 4


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": ("y",)},
        {"outputs": ("out", "more")},
        {"program": "missing"},
        {"inputs": ()},
    ],
    ids=["words", "outputs", "program", "inputs"],
)
def test_what_the_result_depends_on_is_in_the_fingerprint(
    tmp_path: Path, source: Path, change: dict[str, object]
) -> None:
    step = script("s/a", "x", source)
    publish(tmp_path, step)
    assert not open_folder(tmp_path).is_done(dataclasses.replace(step, **change))  # type: ignore[arg-type]
    assert not open_folder(tmp_path, {"sh": "2"}).is_done(step)


@pytest.mark.parametrize("change", [{"moldable": True}, {"variant": "v"}, {"exports": ()}])
def test_what_the_result_does_not_depend_on_is_not(tmp_path: Path, source: Path, change: dict[str, object]) -> None:
    step = script("s/a", "x", source, export="sub/a.txt")
    publish(tmp_path, step)
    assert open_folder(tmp_path).is_done(dataclasses.replace(step, **change))  # type: ignore[arg-type]


def test_an_input_that_is_renamed_with_its_content_kept_changes_nothing(tmp_path: Path, source: Path) -> None:
    publish(tmp_path, script("s/a", "x", source))
    moved = source.rename(tmp_path / "moved.nii")
    assert open_folder(tmp_path).is_done(script("s/a", "x", moved))


def test_an_input_of_equal_size_and_modification_time_but_other_content_is_seen(tmp_path: Path, source: Path) -> None:
    step = script("s/a", "x", source)
    publish(tmp_path, step)
    before = source.stat()
    with source.open("r+") as file:
        file.write("other")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (source.stat().st_size, source.stat().st_ino) == (before.st_size, before.st_ino)
    assert not open_folder(tmp_path).is_done(step)


def test_two_inputs_of_equal_size_are_told_apart(tmp_path: Path, source: Path) -> None:
    other = tmp_path / "other.nii"
    other.write_text("fisrt")
    work = open_folder(tmp_path)
    one, two = script("s/a", "x", source, other), script("s/a", "x", other, source)
    assert work.fingerprint(one) != work.fingerprint(two)


def test_there_is_no_fingerprint_before_the_inputs_are_made(tmp_path: Path) -> None:
    follower = script("s/b", "x", "s/a/out")
    assert open_folder(tmp_path).fingerprint(follower) is None
    publish(tmp_path, script("s/a", "x"))
    work = open_folder(tmp_path)
    assert work.fingerprint(follower) is not None
    work.forget("s/a")
    assert work.fingerprint(follower) is None


def whole_record(root: Path) -> dict[str, object]:
    values: dict[str, object] = json.loads((root / RECORD).read_text())
    return values


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", '{"schema_version": 1}', '{"schema_version": 2}', "\x00" * 100],
)
def test_a_record_that_was_torn_or_is_anothers_means_not_done(tmp_path: Path, source: Path, text: str) -> None:
    step = script("s/a", "x", source)
    publish(tmp_path, step)
    (tmp_path / RECORD).write_text(text)
    assert not open_folder(tmp_path).is_done(step)
    publish(tmp_path, step)
    assert open_folder(tmp_path).is_done(step)


@pytest.mark.parametrize(
    "change", [{"outputs": None}, {"outputs": []}, {"outputs": {}}, {"outputs": {"out": 4}}, {"voxels": "many"}]
)
def test_a_record_of_the_wrong_shape_means_not_done(tmp_path: Path, source: Path, change: dict[str, object]) -> None:
    step = script("s/a", "x", source)
    publish(tmp_path, step)
    (tmp_path / RECORD).write_text(json.dumps(whole_record(tmp_path) | change))
    assert not open_folder(tmp_path).is_done(step)


@pytest.mark.parametrize("text", ["", "[1]", '{"%s": 3}', '{"%s": {}}'])
def test_a_torn_list_of_fingerprints_costs_only_reading_again(tmp_path: Path, source: Path, text: str) -> None:
    step = script("s/a", "x", source)
    publish(tmp_path, step)
    (tmp_path / "work/contents.json").write_text(text.replace("%s", str(source)))
    assert open_folder(tmp_path).is_done(step)


def test_an_output_that_was_promised_must_be_there_and_hold_something(tmp_path: Path) -> None:
    step, work = script("s/a", "x"), open_folder(tmp_path)
    scratch = work.prepare(step)
    with pytest.raises(OutputError, match="out was not written"):
        work.publish(step, scratch, (), {})
    (scratch / "out").touch()
    with pytest.raises(OutputError, match="out is empty"):
        work.publish(step, scratch, (), {})


def test_scratch_of_runs_that_died_is_swept_by_the_run_that_takes_the_folder(tmp_path: Path) -> None:
    work = open_folder(tmp_path)
    (tmp_path / "work/scratch/left by a run that was killed/abc").mkdir(parents=True)
    work.lock()
    assert list((tmp_path / "work/scratch").iterdir()) == []
    work.prepare(script("s/a", "true"))
    work.close()
    assert list((tmp_path / "work/scratch").iterdir()) == []


def test_half_written_files_of_runs_that_died_are_swept_too(tmp_path: Path) -> None:
    work = open_folder(tmp_path)
    left = tmp_path / "work/.checks.json.0123456789ab.tmp"
    left.touch()
    work.lock()
    work.close()
    assert not left.exists()


def test_an_output_that_is_cut_short_fails_the_step_with_the_room_that_is_left(tmp_path: Path) -> None:
    step, work = script("s/a", "x", makes="out.nii.gz"), open_folder(tmp_path)
    scratch = work.prepare(step)
    (scratch / "out.nii.gz").write_bytes(gzip.compress(bytes(1000))[:20])
    with pytest.raises(OutputError, match=r"out\.nii\.gz is cut short: .*full disk does: [0-9.]+ GiB are free there"):
        work.publish(step, scratch, (), {})


def test_what_is_published_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut between any two of these calls leaves the step done or not done, never half."""
    calls: list[str] = []
    fsync, rename = os.fsync, Path.rename
    monkeypatch.setattr("os.fsync", lambda fd: calls.append(f"sync {name_of(fd)}") or fsync(fd))
    monkeypatch.setattr(Path, "rename", lambda a, b: calls.append(f"rename to {b.name}") or rename(a, b))
    publish(tmp_path, script("s/a", "x"))
    *before, renamed, folder = calls[: calls.index("rename to a") + 2]
    assert "sync out" in before and any(call.startswith("sync .record.json") for call in before)
    assert (renamed, folder) == ("rename to a", "sync s")


def name_of(fd: int) -> str:
    return Path(f"/proc/self/fd/{fd}").readlink().name


def test_a_second_run_on_one_work_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    work, second = open_folder(tmp_path), open_folder(tmp_path)
    work.lock()
    scratch = work.prepare(script("s/a", "true"))
    with pytest.raises(BusyError, match=f"process {os.getpid()}, since 20") as caught:
        second.lock()
    assert caught.value.exit_status == 75
    assert scratch.is_dir()
    work.close()
    second.lock()
    second.close()


def test_the_lock_of_a_killed_run_is_free(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/lock").write_text("host gone, process 1, since long ago\n")
    work = open_folder(tmp_path)
    work.lock()
    work.close()


@pytest.mark.parametrize("harm", ["removed", "replaced"])
def test_a_work_folder_that_goes_away_during_a_run_is_not_made_anew(tmp_path: Path, harm: str) -> None:
    work, step = open_folder(tmp_path), script("s/a", "x")
    work.lock()
    scratch = work.prepare(step)
    (tmp_path / "work").rename(tmp_path / "away")
    if harm == "replaced":
        (tmp_path / "work").mkdir()
        (tmp_path / "work/lock").touch()
    for use in (lambda: work.prepare(step), lambda: work.publish(step, scratch, (), {})):
        with pytest.raises(OutputError, match="was removed, or its disk unmounted, while the run used it"):
            use()
    work.close()
    assert not (tmp_path / "work/scratch").exists()


def test_an_input_that_is_changed_while_a_step_reads_it_fails_the_step(tmp_path: Path) -> None:
    source = tmp_path / "scan"
    source.write_text("old")
    work, step = open_folder(tmp_path), script("s/a", "cat in/0 > out", source)
    scratch = work.prepare(step)
    (scratch / "out").write_text("made from old")
    source.write_text("new")
    with pytest.raises(OutputError, match="was changed while a read it"):
        work.publish(step, scratch, (), {})
    work.close()


@pytest.mark.parametrize("harmless", ["chmod", "touch", "copy over it"])
def test_other_times_of_an_input_with_the_same_content_fail_no_step(tmp_path: Path, harmless: str) -> None:
    source = tmp_path / "labels.tsv"
    source.write_text("old")
    work = open_folder(tmp_path)
    steps = [script(f"{name}/a", "cat in/0 > out", source) for name in ("s", "t")]
    scratches = [work.prepare(step) for step in steps]
    if harmless == "chmod":
        source.chmod(0o600)
    elif harmless == "touch":
        os.utime(source, (1, 1))
    else:
        (tmp_path / "copy").write_text("old")
        (tmp_path / "copy").replace(source)
    for step, scratch in zip(steps, scratches, strict=True):
        (scratch / "out").write_text("made from old")
        work.publish(step, scratch, (), {})
    assert all(work.is_done(step) for step in steps)
    work.close()


def test_a_work_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "work").touch()
    with pytest.raises(OutputError, match=r"work cannot be made: .*directory"):
        open_folder(tmp_path)


def test_removing_the_steps_leaves_what_no_step_made(tmp_path: Path) -> None:
    publish(tmp_path, script("s/a", "x"))
    work = open_folder(tmp_path)
    failed = script("s/b", "x")
    scratch = work.prepare(failed)
    (scratch / "log.txt").touch()
    work.keep_failed(failed, scratch)
    mine = [tmp_path / "work" / name for name in ("notes.txt", "steps/s/notes.txt", "steps/t/c/data.txt")]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    remove_steps(tmp_path / "work")
    assert not (tmp_path / "work/steps/s/a").exists() and not (tmp_path / "work/failed/s/b").exists()
    assert all(path.exists() for path in mine)
    remove_steps(tmp_path / "never made")


def test_a_long_last_line_is_told_whole_and_one_without_end_is_cut_after_a_word(tmp_path: Path) -> None:
    for n_words, whole in ((200, True), (2000, False)):
        (tmp_path / "log.txt").write_text("before\n" + "cause " * n_words + "\n")
        told = last_log_line(tmp_path)
        assert told == " ".join(["cause"] * n_words) if whole else told.endswith(" cause …") and len(told) < 2010
