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

from tools.fuzz_targets import TARGETS  # noqa: E402


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


EDIT = st.tuples(
    st.floats(0, 1),
    st.integers(0, 40),
    st.binary(max_size=20) | st.sampled_from([b"[" * 3000, b"NaN", b"1e999", b"\xff", b""]),
)
"""Where it starts as a share of the file, how many bytes go, what comes in their place."""


def edited(seed: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """A seed with some of its bytes replaced."""
    data = bytearray(seed)
    for share, n_lost, put in edits:
        start = round(share * len(data))
        data[start : start + n_lost] = put
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_reads_or_refuses_whatever_it_is_given(name: str, folder: Path) -> None:
    target = TARGETS[name]

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, len(target.seeds) - 1), st.lists(EDIT, max_size=4))
    def read(i: int, edits: list[tuple[float, int, bytes]]) -> None:
        target.feed(edited(target.seeds[i], edits), folder)

    read()


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_parser_is_given_at_first_is_read(name: str, folder: Path) -> None:
    """A seed that is refused at once has none of the parser tried."""
    target = TARGETS[name]
    for seed in target.seeds:
        (folder / target.name).write_bytes(seed)
        target.read(folder / target.name)
