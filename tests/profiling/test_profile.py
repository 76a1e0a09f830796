"""Profiles: what a run's events say of each step, in our file and to a reader of nipype's flat arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tntpipe.errors import InputMissingError, TableError
from tntpipe.formatting import GIB, MIB
from tntpipe.journal.events import (
    Outcome,
    RetryCause,
    RunEnded,
    RunEvent,
    RunStarted,
    StepEnded,
    StepReady,
    StepRetried,
)
from tntpipe.journal.events import StepSampled as Sampled
from tntpipe.journal.events import StepStarted as Started
from tntpipe.journal.usage import Usage
from tntpipe.journal.writer import Journal
from tntpipe.profiling.journal_profile import profile_of
from tntpipe.profiling.profile import SCHEMA_VERSION, Profile
from tntpipe.profiling.profile_file import read_profile, write_profile

HOST = {"name": "node", "cpus": 8, "mem_bytes": 16 * GIB, "machine": "x86_64"}
RUN = RunStarted(
    command=("tntpipe", "bids", "out", "participant"),
    version="1",
    ants="ANTs 2.5 (native: /opt)",
    host=HOST,
    pid=1,
    cpus=4,
    mem_bytes=8 * GIB,
    budget="4 CPUs, 8 GiB",
    scans={"sub-01_ses-2": 1},
    reused={},
    settings={"preset": "quick"},
    folders={},
)
NAME = "sub-01_ses-2/lobes"
READY = StepReady(name=NAME, scan="sub-01_ses-2", kind="lobes", variant="", voxels=1000)
STARTED = Started(name=NAME, scan="sub-01_ses-2", kind="lobes", cpus=2, mem_bytes=2 * GIB, pid=7)
USAGE = Usage(wall_s=10.0, cpu_s=15.0, peak_bytes=GIB, max_cpus=2.0, read_bytes=5, written_bytes=6)
DONE = StepEnded(name=NAME, scan="sub-01_ses-2", kind="lobes", outcome=Outcome.DONE, usage=USAGE)


def look(age_s: float, cpu_s: float, rss_bytes: int, name: str = NAME) -> Sampled:
    return Sampled(name=name, age_s=age_s, cpu_s=cpu_s, cpus=9.0, rss_bytes=rss_bytes, vms_bytes=2 * rss_bytes)


def folded(*events: RunEvent) -> Profile:
    """One event a second, from 100."""
    return profile_of((100.0 + t, event) for t, event in enumerate((RUN, *events)))


def arrays(profile: Profile, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(entry, name) for name in names) for entry in profile.entries]


def test_a_step_has_its_figures_and_an_entry_for_each_look_and_for_its_end() -> None:
    profile = folded(READY, STARTED, look(2, 2, GIB // 4), look(4, 6, GIB // 2), DONE)
    (use,) = profile.steps
    assert (use.kind, use.variant, use.voxels, use.threads, use.outcome) == ("lobes", "", 1000, 2, "done")
    assert (use.wall_s, use.cpu_s, use.mean_cpus, use.peak_bytes) == (10.0, 15.0, 1.5, GIB)
    assert (use.request_bytes, use.n_tries, use.read_bytes, use.written_bytes) == (2 * GIB, 1, 5, 6)
    assert use.entities == {"sub": "01", "ses": "2"}
    assert arrays(profile, "time", "rss_gib", "vms_gib", "cpu_percent") == [
        (104.0, 0.25, 0.5, 100.0),
        (106.0, 0.5, 1.0, 200.0),
        (112.0, 1.0, 1.0, 150.0),
    ]


def test_cpus_are_over_the_time_since_the_entry_before_whatever_was_left_out_between() -> None:
    """A journal holds few of the looks, and each says how busy the moment before it was."""
    assert arrays(folded(READY, STARTED, look(1, 1, 1), look(5, 2, 1), DONE), "cpu_percent")[1] == (25.0,)


def test_a_step_that_was_never_looked_at_has_the_entry_of_its_end() -> None:
    assert arrays(folded(READY, STARTED, DONE), "name", "time", "rss_gib", "cpu_percent") == [(NAME, 112.0, 1.0, 150.0)]


def test_the_tries_of_a_step_are_one_step_whose_peak_is_that_of_all() -> None:
    retried = StepRetried(
        name=NAME,
        scan="sub-01_ses-2",
        kind="lobes",
        cause=RetryCause.OUT_OF_MEMORY,
        n_tries=1,
        mem_bytes=4 * GIB,
        usage=replace(USAGE, peak_bytes=3 * GIB),
        message="",
    )
    profile = folded(READY, STARTED, look(1, 1, GIB), retried, replace(STARTED, mem_bytes=4 * GIB), DONE)
    (use,) = profile.steps
    assert (use.n_tries, use.peak_bytes, use.request_bytes, use.wall_s) == (2, 3 * GIB, 4 * GIB, 10.0)
    assert max(profile.entries, key=lambda entry: entry.rss_gib).rss_gib == 3


def test_what_runs_when_nothing_more_is_heard_counts_as_far_as_it_was_seen() -> None:
    (use,) = folded(READY, STARTED, look(0.5, 0.4, GIB)).steps
    assert (use.outcome, use.peak_bytes, use.cpu_s, use.wall_s) == ("unfinished", GIB, 0.4, 1.0)


def test_what_was_there_already_is_no_step_of_the_profile() -> None:
    reused = StepEnded(name=NAME, scan="sub-01_ses-2", kind="lobes", outcome=Outcome.REUSED)
    assert folded(READY, reused).steps == ()


def test_the_host_and_the_settings_are_told() -> None:
    profile = folded(READY, STARTED, DONE, RunEnded(exit_status=0, scans={}))
    assert profile.host == HOST | {"ants": "ANTs 2.5 (native: /opt)", "tntpipe": "1"}
    assert profile.machine == "8 CPUs (x86_64), 16 GiB, ANTs 2.5"
    assert profile.preset == "quick"
    assert profile.run["exit_status"] == 0 and profile.run["budget"]["mem_bytes"] == 8 * GIB


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    profile = folded(READY, STARTED, look(2, 2, 512 * MIB), DONE)
    write_profile(tmp_path / "p.json", profile)
    assert read_profile(tmp_path / "p.json") == profile


def test_a_journal_is_a_profile(tmp_path: Path) -> None:
    """Also one whose last line was torn when the run was killed."""
    events: Sequence[RunEvent] = (RUN, READY, STARTED, look(2, 2, GIB), DONE)
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    for t, event in enumerate(events):
        journal.record(100.0 + t, event)
    journal.close()
    with path.open("a") as file:
        file.write('{"t": 200, "event": "RunEn')
    assert read_profile(path) == folded(*events[1:])


def test_the_arrays_are_those_of_nipype_and_of_one_length(tmp_path: Path) -> None:
    write_profile(tmp_path / "p.json", folded(READY, STARTED, look(2, 2, GIB // 2), DONE))
    content = json.loads((tmp_path / "p.json").read_text())
    assert {len(content[name]) for name in ("name", "time", "rss_GiB", "vms_GiB", "cpus")} == {2}
    assert content["name"] == [NAME, NAME] and content["rss_GiB"] == [0.5, 1.0]
    assert max(content["rss_GiB"]) * GIB == content["steps"][0]["peak_bytes"]
    assert content["steps"][0]["entities"] == {"sub": "01", "ses": "2"}


def test_a_reader_of_the_arrays_alone_finds_the_step_and_its_peak(tmp_path: Path) -> None:
    write_profile(tmp_path / "p.json", folded(READY, STARTED, look(2, 2, GIB // 2), DONE))
    content = json.loads((tmp_path / "p.json").read_text())
    arrays_alone = {name: content[name] for name in ("name", "time", "rss_GiB", "vms_GiB", "cpus")}
    (tmp_path / "old.json").write_text(json.dumps(arrays_alone))
    (use,) = read_profile(tmp_path / "old.json").steps
    assert (use.kind, use.peak_bytes, use.wall_s) == ("lobes", GIB, 8.0)


def test_the_schema_is_the_one_that_is_documented(tmp_path: Path) -> None:
    write_profile(tmp_path / "p.json", folded(READY, STARTED, DONE))
    content = json.loads((tmp_path / "p.json").read_text())
    assert content["schema_version"] == SCHEMA_VERSION == 1
    assert list(content) == ["schema_version", "host", "run", "steps", "name", "time", "rss_GiB", "vms_GiB", "cpus"]
    assert list(content["steps"][0]) == [
        *("name", "kind", "outcome", "wall_s", "peak_bytes", "scan", "variant", "voxels", "threads", "n_tries"),
        *("request_bytes", "cpu_s", "max_cpus", "read_bytes", "written_bytes", "started", "entities", "mean_cpus"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not JSON: Expecting value: line 1"),
        ("[1]", "expected `object`, got `array`"),
        ('{"name": ["a"], "time": [1]}', "missing required field `rss_GiB`"),
        ('{"name": ["a"], "time": [1], "rss_GiB": []}', "not of one length, but 1, 1, 0"),
        ('{"name": ["a"], "time": [1], "rss_GiB": ["x"]}', r"expected `float`, got `str` - at `\$\.rss_GiB"),
        ('{"name": ["a"], "time": [1], "rss_GiB": [NaN]}', "NaN is not a number"),
        ('{"name": ["a"], "time": [1], "rss_GiB": [1e999]}', r"number out of range - at `\$\.rss_GiB"),
        ('{"name": ["a"], "time": [1e300], "rss_GiB": [1]}', r"at `\$\.time"),
        ('{"schema_version": 9, "name": [], "time": [], "rss_GiB": []}', "schema version 9, not 1"),
        ('{"schema_version": 1, "name": [], "time": [], "rss_GiB": []}', "missing required field `host`"),
        ('{"x": ' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_profile_is_refused_by_name(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(TableError, match=f"p.json is not a profile: .*{message}"):
        read_profile(tmp_path / "p.json")


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("peak_bytes", "many", "steps"),
        ("peak_bytes", 10**400, "steps"),
        ("peak_bytes", -1, "steps"),
        ("voxels", [1], "steps"),
        ("threads", 0, "steps"),
        ("kind", ["lobes"], "steps"),
        ("wall_s", 1e300, "steps"),
        ("wall_s", None, "steps"),
        ("mem_bytes", "16 GiB", "host"),
        ("started", "yesterday", "run"),
        ("started", 1e30, "run"),
        ("settings", ["quick"], "run"),
    ],
)
def test_a_figure_of_the_wrong_kind_in_a_profile_of_ours_is_refused_with_its_place(
    key: str, value: Any, place: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.json"
    write_profile(path, folded(READY, STARTED, look(2, 2, GIB // 2), DONE))
    content = json.loads(path.read_text())
    (content[place][0] if place == "steps" else content[place])[key] = value
    path.write_text(json.dumps(content))
    with pytest.raises(TableError, match=rf"p.json is not a profile: .* at `\$\.{place}.*\.{key}`"):
        read_profile(path)


def test_a_profile_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError, match=r"p\.json cannot be read: No such file"):
        read_profile(tmp_path / "p.json")
