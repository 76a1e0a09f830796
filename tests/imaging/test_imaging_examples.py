"""Every example in a docstring of the package is true."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import tntpipe.imaging

MODULES = sorted(module.name for module in pkgutil.iter_modules(tntpipe.imaging.__path__) if module.name != "__main__")


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name):
    assert doctest.testmod(import_module(f"tntpipe.imaging.{name}")).failed == 0
