"""Fixtures of the tests that run real children, and the marker of every test, by the folder that it lies in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_machine import N_CPUS, FakeMachine
from hypothesis import is_hypothesis_test
from small_runs import World

TESTS = Path(__file__).parent

MARKERS = {
    "fast": "examples that need no ANTs, no browser, no fault and no machine at rest: all of them in a minute",
    "ants": "runs real ANTs on real heads, or the whole command line",
    "faults": "kills, full disks, bad input",
    "browser": "looks at the report in a real browser; skipped where there is none",
}

NOT_FAST = {"cli": "ants", "programs": "ants", "faults": "faults", "benchmarks": "", "executors": "", "imaging": ""}
"""The rooms whose tests take longer, and what they are marked with beside."""

RUNS_ANTS = {
    "run/test_library.py",
    "steps/test_steps_threads.py",
    "imaging/test_imaging_displacement.py",
    "run/test_ants_messages.py",
}
"""Files of other rooms that do."""


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Rooms without a fast test are not even imported where only those are asked for: that takes seconds."""
    place = collection_path.relative_to(TESTS).parts if collection_path.is_relative_to(TESTS) else ()
    if config.option.markexpr == "fast" and place and place[0] in NOT_FAST:
        return True
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test is fast unless its room, its file or its many random examples say otherwise."""
    for item in items:
        for name in markers_of(item):
            item.add_marker(name)


def markers_of(item: pytest.Item) -> set[str]:
    """From where a test lies and the fixtures that it asks for."""
    place = item.path.relative_to(TESTS)
    room = place.parts[0]
    if item.path.stem == "test_browser":
        return {"browser"}
    if place.as_posix() in RUNS_ANTS:
        return {"ants"}
    if room in NOT_FAST:
        return set(filter(None, [NOT_FAST[room]]))
    watches_children = item.path.stem.startswith("test_monitor")
    return set() if watches_children or is_hypothesis_test(getattr(item, "function", None)) else {"fast"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A place to run steps in."""
    return World(tmp_path)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    """A machine without further limits."""
    monkeypatch.setattr(os, "cpu_count", lambda: N_CPUS)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(N_CPUS)))
    return FakeMachine(tmp_path)
