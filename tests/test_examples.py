"""The examples in the docstrings of the package are true."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import tntpipe

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(tntpipe.__path__, "tntpipe.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_modules_of_every_room_are_looked_at() -> None:
    assert {"tntpipe.resources", "tntpipe.bids.participants", "tntpipe.imaging.brain"} <= set(MODULES)
