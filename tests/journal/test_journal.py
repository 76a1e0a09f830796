"""The journal's lines: what they hold, how large they are, and the page that documents them."""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from stories import STORY

from benchmarks.made_up_run import made_up_run
from tntpipe.budget.host import host
from tntpipe.formatting import GIB
from tntpipe.journal.events import Outcome, RunEvent, ScanOutcome, StepEnded, StepSampled, StepsWaiting
from tntpipe.journal.reader import read_journal
from tntpipe.journal.usage import Usage
from tntpipe.journal.writer import SCHEMA_VERSION, Journal
from tntpipe.resources import Resources

ROOT = Path(__file__).resolve().parents[2]

PAGE = (ROOT / "docs/journal.md").read_text(encoding="utf-8")
CLASSES = {kind.__name__: kind for kind in RunEvent.__args__}  # type: ignore[attr-defined]


def rows_under(heading: str) -> list[str]:
    """The names in the first column of the table below a heading."""
    section = PAGE.split(f"\n{heading}\n")[1].split("\n#")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_the_page_has_every_event_and_no_other() -> None:
    assert re.findall(r"^### (\w+)$", PAGE, re.MULTILINE) == list(CLASSES)


def test_the_page_has_every_field_and_no_other() -> None:
    told = {name: rows_under(f"### {name}") for name in CLASSES}
    assert told == {name: [field.name for field in dataclasses.fields(kind)] for name, kind in CLASSES.items()}


def test_the_page_has_every_figure_of_a_steps_usage() -> None:
    assert rows_under("## Usage") == [field.name for field in dataclasses.fields(Usage)]


def test_the_page_has_the_schema_version_the_machines_facts_and_every_outcome() -> None:
    assert f"`schema_version`, now {SCHEMA_VERSION}." in PAGE
    words = (*host(), *(outcome.value for kind in (Outcome, ScanOutcome) for outcome in kind))
    assert [word for word in words if f"`{word}`" not in PAGE] == []


def test_the_pages_examples_run_and_agree(tmp_path: Path) -> None:
    """Both ways of reading with pandas, with another path."""
    run = tmp_path / "out/logs/run-20261125-021524"
    run.mkdir(parents=True)
    events = made_up_run(1, Resources(2, 8 * GIB), preset="quick")
    journal = Journal(run / "journal.jsonl")
    for t, event in events:
        journal.record(t, event)
    journal.close()
    section = PAGE.split("## Reading it\n")[1].split("\n## ")[0]
    code = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
    names: dict[str, Any] = {}
    exec(code.replace('"out/logs', f'"{tmp_path}/out/logs'), names)
    ended, lines = names["ended"], names["lines"]
    assert len(ended) == sum(isinstance(event, StepEnded) for _, event in events) and names["used"].wall_s.min() > 0
    assert lines[lines.event == "StepEnded"].kind.tolist() == ended.kind.tolist()


LOOKS = (StepSampled, StepsWaiting)
"""Events that come with time, not with steps."""


def long_name(scan: str) -> str:
    """A scan's name of 62 characters."""
    return f"sub-CONTROL{scan[-4:]}_ses-20240131_acq-mprageHighRes_rec-norm_run-02"


def test_a_step_of_a_scan_with_a_long_name_takes_at_most_1500_bytes_without_samples(tmp_path: Path) -> None:
    folder = "/scratch/projects/neuro-2024-0123/users/somebody/derivatives/tntpipe"
    events = made_up_run(20, Resources(8, 32 * GIB), n_out_of_memory=1, folder=folder, scan_name=long_name)
    journal = Journal(tmp_path / "j")
    n_steps = 0
    for t, event in events:
        if not isinstance(event, LOOKS):
            journal.record(t, event)
        n_steps += type(event).__name__ == "StepEnded"
    journal.close()
    assert len(long_name("sub-0001")) == 62 and n_steps > 400
    assert (tmp_path / "j").stat().st_size / n_steps < 1500
    assert list(read_journal(tmp_path / "j")) == [
        (round(t, 3), event) for t, event in events if not isinstance(event, LOOKS)
    ]


def test_a_line_leaves_out_what_has_its_default_value(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    for event in STORY:
        journal.record(1.0, event)
    journal.close()
    last_of_c = [line for line in (tmp_path / "j").read_text(encoding="utf-8").splitlines() if '"s/c"' in line][-1]
    assert set(json.loads(last_of_c)) == {"t", "event", "name", "scan", "kind", "outcome", "usage"}


@given(st.lists(st.sampled_from(STORY), min_size=1, max_size=12), st.data())
def test_a_damaged_line_costs_no_more_than_itself(events: list[RunEvent], data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, len(events) - 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        journal = Journal(path)
        for event in (STORY[0], *events):
            journal.record(1.0, event)
        journal.close()
        whole = [event for _, event in read_journal(path)]
        lines = path.read_bytes().splitlines(keepends=True)
        lines[1 + lost] = lines[1 + lost][: len(lines[1 + lost]) // 2] + b"\n"
        path.write_bytes(b"".join(lines))
        left = [event for _, event in read_journal(path)]
    assert whole == [STORY[0], *events]
    assert left == [STORY[0], *events[:lost], *events[lost + 1 :]]
