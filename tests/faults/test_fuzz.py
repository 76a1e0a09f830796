"""What no parser is made for: real files with bytes changed, lost and put in, for a moment each. The long campaign is
``python -m tools.fuzz``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.fuzz_targets import TARGETS, Target  # noqa: E402


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@st.composite
def broken(draw: st.DrawFn, target: Target) -> bytes:
    """A seed with some of its bytes replaced."""
    data = bytearray(draw(st.sampled_from(target.seeds)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, min(len(data), start + 40)))
        data[start:stop] = draw(st.binary(max_size=20) | st.sampled_from([b"[" * 3000, b"NaN", b"1e999", b"\xff", b""]))
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_reads_or_refuses_whatever_it_is_given(name: str, folder: Path) -> None:
    target = TARGETS[name]

    @settings(max_examples=60, deadline=None)
    @given(broken(target))
    def read(data: bytes) -> None:
        target.feed(data, folder)

    read()
