"""Fixtures of the tests that run real children."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_machine import N_CPUS, FakeMachine
from small_runs import World


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
