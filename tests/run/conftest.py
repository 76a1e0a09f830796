"""Fixtures of the tests that run real children."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_runs import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A place to run steps in."""
    return World(tmp_path)
