"""How much memory a step is given, from peaks worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tntpipe.formatting import MIB
from tntpipe.profiling.memory_rule import PAD_BYTES, MemoryRule, Peak


@pytest.mark.parametrize(("n", "factor"), [(1, 1.5), (2, 1.35), (3, 1.2), (7, 1.2), (8, 1.1), (20, 1.1)])
def test_the_largest_peak_is_padded_the_more_the_fewer_were_seen(n: int, factor: float) -> None:
    rule = MemoryRule([Peak(1000, 100 * MIB)] * (n - 1) + [Peak(1000, 1000 * MIB)])
    assert rule.request_bytes(1000) == pytest.approx(1000 * MIB * factor + PAD_BYTES, abs=1)


def test_nothing_is_asked_for_where_nothing_was_seen() -> None:
    assert MemoryRule().request_bytes(1000) == 0


def test_peaks_that_grow_with_the_input_are_followed_along_their_line() -> None:
    rule = MemoryRule(Peak(n * 1000, (50 + n * 100) * MIB) for n in range(1, 9))
    assert rule.line is not None and rule.line.correlation == pytest.approx(1)
    assert rule.request_bytes(2000) == pytest.approx(250 * MIB * 1.1 + PAD_BYTES, abs=2)
    assert rule.request_bytes(10_000) == pytest.approx(1050 * MIB * 1.1 + PAD_BYTES, abs=2)
    assert rule.request_bytes(100_000) == pytest.approx(850 * MIB * 1.5 * 1.1 + PAD_BYTES, abs=2), "not far beyond"


def test_seven_peaks_make_no_line_and_neither_do_scattered_ones() -> None:
    assert MemoryRule(Peak(n * 1000, n * 100 * MIB) for n in range(1, 8)).line is None
    assert MemoryRule(Peak(n * 1000, (n % 3) * 100 * MIB) for n in range(1, 20)).line is None
    assert MemoryRule([Peak(1000, n * MIB) for n in range(1, 20)]).line is None, "inputs of one size"


def test_what_a_killed_step_had_is_no_peak_but_nobody_is_given_less() -> None:
    rule = MemoryRule([Peak(1000, 100 * MIB)])
    rule.see_at_least(Peak(1000, 900 * MIB))
    assert rule.n == 1 and rule.request_bytes(1000) >= 900 * MIB


@given(
    st.lists(st.builds(Peak, st.integers(1, 10**8), st.integers(1, 10**11)), min_size=1, max_size=30),
    st.integers(1, 10**8),
)
def test_no_request_is_below_a_peak_of_an_input_that_is_no_larger(peaks: list[Peak], voxels: int) -> None:
    largest = max((peak.mem_bytes for peak in peaks if peak.voxels <= voxels), default=0)
    assert MemoryRule(peaks).request_bytes(voxels) >= largest
