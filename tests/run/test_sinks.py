"""What is made of a run's events: the journal, the state, the lines, the crash file, the summary."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from disk_limits import room_for
from stories import FAILED, STORY

from tntpipe.errors import TableError
from tntpipe.journal.events import Notice, RunEvent, ScanEnded, ScanOutcome
from tntpipe.journal.reader import JournalReader, read_journal
from tntpipe.journal.run_state import RunState
from tntpipe.journal.text import line_of
from tntpipe.journal.writer import SCHEMA_VERSION, Journal
from tntpipe.run.closing_report import print_summary
from tntpipe.run.sinks import Views
from tntpipe.store.locks import is_held

FIELDS = {
    "RunStarted": "command version ants host pid cpus mem_bytes budget scans reused settings folders",
    "StepReady": "name scan kind variant voxels",
    "StepAdmitted": "name cpus mem_bytes expected_s why",
    "StepStarted": "name scan kind cpus mem_bytes pid",
    "StepSampled": "name age_s cpu_s cpus rss_bytes vms_bytes",
    "StepEnded": "name scan kind outcome usage message argv folder",
    "StepRetried": "name scan kind cause n_tries mem_bytes usage message",
    "StepDropped": "name scan because",
    "StepsWaiting": "steps",
    "KindLearnt": "kind variant n mem_bytes time_ratio",
    "RunForecast": "seconds_left",
    "ScanEnded": "scan outcome message",
    "Notice": "text level scan",
    "RunEnded": "exit_status scans",
}


def test_the_journals_fields_are_those_of_its_schema_version() -> None:
    """Whoever changes the fields raises ``SCHEMA_VERSION`` and this table together."""
    classes = {kind.__name__: kind for kind in RunEvent.__args__}  # type: ignore[attr-defined]
    now = {name: " ".join(field.name for field in dataclasses.fields(kind)) for name, kind in classes.items()}
    assert (SCHEMA_VERSION, now) == (7, FIELDS)


def write(path: Path) -> None:
    journal = Journal(path)
    for number, event in enumerate(STORY):
        journal.record(1000.12345 + number, event)
    journal.close()


def test_a_journal_says_again_what_happened(tmp_path: Path) -> None:
    write(tmp_path / "logs/journal.jsonl")
    told = list(read_journal(tmp_path / "logs/journal.jsonl"))
    assert [event for _, event in told] == list(STORY)
    assert told[0][0] == 1000.123 and {type(event) for event in STORY} == set(RunEvent.__args__)  # type: ignore[attr-defined]


def test_a_journal_of_another_version_and_what_is_none_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "j")
    text = (tmp_path / "j").read_text(encoding="utf-8")
    (tmp_path / "old").write_text(text.replace('"schema_version":7', '"schema_version":2'), encoding="utf-8")
    (tmp_path / "none").write_text("[]\n")
    with pytest.raises(TableError, match="has schema version 2, not 7"):
        list(read_journal(tmp_path / "old"))
    with pytest.raises(TableError, match="does not begin as a journal does"):
        list(read_journal(tmp_path / "none"))


@pytest.mark.parametrize(
    "line",
    [
        '{"t":1,"event":"StepEnded","name":"s/a","scan":"s","kind":"a","outcome":"done","usage":{"wall_s":1}}',
        '{"t":1,"event":"StepReady","name":["s/a"],"scan":"s","kind":"a","variant":"","voxels":9}',
        '{"t":1,"event":"StepReady","name":"s/a","scan":"s","kind":"a","variant":"","voxels":"many"}',
        '{"t":1,"event":"RunForecast","seconds_left":1e999}',
        '{"t":1e999,"event":"Notice","text":"x"}',
    ],
)
def test_a_line_whose_fields_are_of_other_kinds_than_its_events_is_passed_over(tmp_path: Path, line: str) -> None:
    write(tmp_path / "j")
    with (tmp_path / "j").open("a") as file:
        file.write(line + "\n")
    assert len(list(read_journal(tmp_path / "j"))) == len(STORY)


def test_a_line_that_this_version_does_not_know_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "j")
    with (tmp_path / "j").open("a") as file:
        file.write('{"t": 1, "event": "Other"}\n{"t": 1, "event": "RunEnded"}\n7\n')
    assert len(list(read_journal(tmp_path / "j"))) == len(STORY)


def test_a_line_is_on_the_disk_as_soon_as_it_happened(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.record(1.0, STORY[0])
    assert len(list(read_journal(tmp_path / "j"))) == 1
    journal.close()


def test_a_journal_torn_at_any_byte_keeps_its_whole_lines(tmp_path: Path) -> None:
    write(tmp_path / "j")
    whole = (tmp_path / "j").read_bytes()
    for length in range(len(whole) - 900, len(whole)):
        (tmp_path / "torn").write_bytes(whole[:length])
        n_ends = whole[:length].count(b"\n")
        assert len(list(read_journal(tmp_path / "torn"))) in (n_ends, n_ends + 1)
    cut = whole.index("ä".encode()) + 1  # in the middle of a letter
    (tmp_path / "torn").write_bytes(whole[:cut])
    assert len(list(read_journal(tmp_path / "torn"))) == 1


def test_a_journal_that_grows_is_read_on_from_where_it_was_a_line_at_a_time(tmp_path: Path) -> None:
    write(tmp_path / "whole")
    whole, grown = (tmp_path / "whole").read_bytes(), tmp_path / "grown"
    grown.touch()
    reader, told = JournalReader(grown), []
    for begin in range(0, len(whole), 100):
        with grown.open("ab") as file:
            file.write(whole[begin : begin + 100])
        told += list(reader.new_events())
        assert len(told) == whole[: begin + 100].count(b"\n")
    assert [event for _, event in told] == list(STORY)


def state_after(n_events: int) -> RunState:
    state = RunState()
    for number, event in enumerate(STORY[:n_events]):
        state.apply(1000.0 + number, event)
    return state


def test_the_state_counts_steps_and_scans_as_they_go() -> None:
    begun = state_after(1)
    assert (begun.n_steps, begun.n_over, begun.scans["t"].n_over) == (6, 2, 2)
    running = state_after(9)
    assert set(running.running) == {"s/a", "s/c"} and len(running.scans["s"].running) == 2
    assert (running.running["s/a"].rss_bytes, running.running["s/a"].cpu_s) == (5, 1.5)
    ended = state_after(len(STORY))
    assert not ended.running and not ended.scans["s"].running
    assert (ended.n_over, ended.scans["s"].n_over) == (5, 2), "a stopped step is not over"
    assert ended.n_scans(ScanOutcome.REFUSED, ScanOutcome.SKIPPED) == 2 and ended.exit_status == 1


def test_lines_say_what_happened_and_how_much_it_matters() -> None:
    lines = [line_of(event) for event in STORY]
    assert lines[0] == ("INFO", "2 scans, 6 steps, 4 of them to run; ANTs 2.5")
    assert lines[3] == ("ERROR", "u: refused is empty")
    assert lines[5] == ("DEBUG", "s/a started (2 CPUs, 1.0 GiB)")
    assert lines[7] is None and lines[-1] is None and lines[-2] is None
    assert lines[9] == ("ERROR", "s/a failed: exit status 3 (1:01, 60 CPU-seconds, 1.0 GiB)")
    assert lines[10] == ("DEBUG", "s/b left out, because s/a failed")


def test_views_keep_the_journal_the_log_and_a_crash_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with Views(tmp_path, dashboard=True, loglevel="WARNING") as views:
            for event in STORY:
                views.emit(event)
            views.tick()
    assert len(list(tmp_path.glob("run-*"))) == 2, "a run never writes into another's folder"
    assert len(list(read_journal(views.run_dir / "journal.jsonl"))) == len(STORY)
    assert "s/a started" in (views.run_dir / "run.log").read_text(encoding="utf-8")
    assert "exit status 3" in next(tmp_path.glob("crash-s-a-*.txt")).read_text()
    said = capsys.readouterr().err
    assert "s/a failed" in said and "s/a started" not in said


def test_a_full_disk_costs_the_views_nothing_but_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Views(tmp_path, dashboard=False, loglevel="WARNING") as views:
        with room_for(100):
            for event in STORY:
                views.emit(event)
        views.emit(Notice(text="there is room again"))
    said = capsys.readouterr().err.splitlines()
    for name in ("journal.jsonl", "run.log"):
        path = views.run_dir / name
        assert sum(f"{path} cannot be written: File too large. The run goes on" in line for line in said) == 1
        assert f"{path} is written again; nothing missing in it" in (views.run_dir / "run.log").read_text()
    told = [event for _, event in read_journal(views.run_dir / "journal.jsonl")]
    assert told == [*STORY, Notice(text="there is room again")]
    assert f"the crash file of {FAILED.name} cannot be written: File too large" in "".join(said)


def test_a_disk_that_stays_full_is_said_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with room_for(0), Views(tmp_path, dashboard=False, loglevel="ERROR") as views:
        views.emit(Notice(text="not written"))
    said = capsys.readouterr().err
    assert f"tntpipe: {views.run_dir / 'journal.jsonl'} lacks its last 1 line: File too large." in said


def test_the_summary_names_what_went_wrong_in_full_and_ends_with_the_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    state = state_after(len(STORY))
    long_name = "sub-" + "a" * 100 + "_[red]x[/]"
    state.apply(1.0, ScanEnded(scan=long_name, outcome=ScanOutcome.FAILED, message="why " * 40 + "the end"))
    print_summary(state, tmp_path / "run", tmp_path)
    said = capsys.readouterr().err
    assert long_name in said and "the end" in said
    assert said.splitlines()[-4:] == [
        "0 done, 3 failed, 1 skipped (finished before)",
        f"crash files in {tmp_path / 'logs'}",
        f"volumes in {tmp_path}",
        f"log in {tmp_path / 'run' / 'run.log'}",
    ]


def test_scans_that_failed_for_one_reason_are_told_together_the_commonest_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = RunState()
    for number in range(9):
        why = (
            "registration failed: exit status 1: /w/1" if number == 4 else f"tissue failed: /data/{number}.nii is empty"
        )
        state.apply(1.0, ScanEnded(scan=f"sub-{number}", outcome=ScanOutcome.FAILED, message=why))
    state.apply(1.0, ScanEnded(scan="sub-good", outcome=ScanOutcome.DONE))
    print_summary(state, tmp_path / "run", tmp_path)
    first, second, third, *_ = capsys.readouterr().err.splitlines()
    assert first == "8 × sub-0, sub-1, sub-2, sub-3, sub-5 and 3 more: failed tissue failed: /data/0.nii is empty"
    assert second == "sub-4: failed registration failed: exit status 1: /w/1"
    assert third == "sub-good: done"


def test_the_summary_of_many_scans_shows_only_those_that_need_attention(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = RunState()
    for number in range(300):
        state.apply(1.0, ScanEnded(scan=f"sub-{number}", outcome=ScanOutcome.DONE))
    state.apply(1.0, ScanEnded(scan="sub-x", outcome=ScanOutcome.STOPPED, message="the run ended before it"))
    print_summary(state, tmp_path / "run", tmp_path)
    said = capsys.readouterr().err
    assert "sub-x" in said and "sub-17" not in said
    assert "300 done, 0 failed, 0 skipped (finished before)\n1 unfinished: re-run the same command to resume\n" in said


def test_every_line_of_the_journal_is_json_alone(tmp_path: Path) -> None:
    write(tmp_path / "j")
    for line in (tmp_path / "j").read_text(encoding="utf-8").splitlines():
        assert isinstance(json.loads(line), dict)


def test_a_run_holds_its_journal_as_long_as_it_lives(tmp_path: Path) -> None:
    views = Views(tmp_path, dashboard=False, loglevel="ERROR")
    journal = views.run_dir / "journal.jsonl"
    assert is_held(journal) is True
    with views:
        pass
    assert is_held(journal) is False and is_held(tmp_path / "none") is None
