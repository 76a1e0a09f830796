"""The page on figures names every figure, and a test for every claim."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from tntpipe.journal.usage import Usage
from tntpipe.profiling.sample import Sample

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "numbers.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_there() -> None:
    there = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_monitor*.py"))
    named = re.findall(r"`(test_\w+)`", PAGE)
    assert len(named) > 20 and [name for name in named if f"def {name}(" not in there] == []


def test_every_figure_is_told_on_the_page() -> None:
    names = {field.name for kind in (Sample, Usage) for field in fields(kind)} | {"mean_cpus"}
    assert {name for name in names if f"`{name}`" not in PAGE} == set()
