"""The journal's lines: what they leave out and get back, how large they are, and the page that documents them."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from stories import STORY

from tntpipe.budget.host import host
from tntpipe.events import Outcome, RunEvent, ScanOutcome, StepEnded, StepSampled, StepStarted, StepsWaiting
from tntpipe.journal import SCHEMA_VERSION, Journal, read_journal
from tntpipe.profiling.usage import Usage
from tntpipe.resources import GIB, Resources
from tntpipe.told import Told

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from made_up_run import made_up_run  # noqa: E402

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
    assert rows_under("## Usage") == [*(field.name for field in dataclasses.fields(Usage)), "mean_cpus"]


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


def test_a_step_of_a_scan_with_a_long_name_takes_less_than_a_kilobyte_without_samples(tmp_path: Path) -> None:
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
    assert (tmp_path / "j").stat().st_size / n_steps < 1000
    assert list(read_journal(tmp_path / "j")) == [
        (round(t, 3), event) for t, event in events if not isinstance(event, LOOKS)
    ]


def test_what_an_earlier_line_of_the_step_said_is_not_said_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    for event in STORY:
        journal.record(1.0, event)
    journal.close()
    last_of_c = [line for line in (tmp_path / "j").read_text(encoding="utf-8").splitlines() if '"s/c"' in line][-1]
    assert set(json.loads(last_of_c)) == {"t", "event", "name", "outcome", "usage", "folder"}


def test_a_sample_is_told_whole_its_cpus_are_other_ones(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.record(1.0, StepStarted(name="s/a", scan="s", kind="a", cpus=1, mem_bytes=1, pid=1))
    journal.record(2.0, StepSampled(name="s/a", age_s=1, cpu_s=1, cpus=1, rss_bytes=1, vms_bytes=1))
    journal.close()
    assert json.loads((tmp_path / "j").read_text().splitlines()[1])["cpus"] == 1


NAMES = st.sampled_from(["s/a", "s/b", "t/a"])
VALUES = st.fixed_dictionaries(
    {"name": NAMES},
    optional={"scan": st.sampled_from(["s", "t"]), "cpus": st.integers(1, 2), "mem_bytes": st.integers(0, 2)},
)
STEP_EVENTS = st.sampled_from([kind for kind in CLASSES.values() if kind.__name__.startswith("Step")])


@st.composite
def step_events(draw: st.DrawFn) -> RunEvent:
    """An event of some step, with any field at its default or not."""
    kind = draw(STEP_EVENTS)
    said = draw(VALUES)
    values = {
        field.name: said.get(field.name, draw(st.sampled_from(["", "/work/steps/s/a", 1])))
        for field in dataclasses.fields(kind)
    }
    event: RunEvent = kind(**values)
    return event


@given(st.lists(step_events(), max_size=12))
def test_what_is_left_out_is_what_is_put_back(events: list[RunEvent]) -> None:
    writer, reader = Told(), Told()
    for told in (writer, reader):
        told.restored(CLASSES["RunStarted"], {"folders": {"work": "/work"}})
    for event in events:
        kind, whole = type(event), {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
        short = json.loads(json.dumps(writer.shortened(kind, whole)))
        assert kind(**reader.restored(kind, short)) == event
