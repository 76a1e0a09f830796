"""CPUs and memory over time, against sums worked by hand and in another way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_runs import ToldRun, eventful_run, used

from tntpipe.formatting import GIB
from tntpipe.report.curves import busy_spans, curves_of, held_spans, in_parts


def test_between_looks_the_cpu_time_is_spread_evenly_and_after_the_process_nothing_is_busy() -> None:
    """a: 4 s of CPU in the first 5 s, 8 s in the 4.5 s to the end of its process; half a second is publication."""
    first = eventful_run().history().attempts[0]
    assert list(busy_spans(first)) == [(0, 5, 0.8), (5, 9.5, pytest.approx(8 / 4.5))]


def test_between_looks_the_larger_memory_counts() -> None:
    run = ToldRun().ready(0, "s/a").start(2, "s/a").look(3, "s/a", 1, 1, 1).look(5, "s/a", 3, 1, 3)
    run.look(6, "s/a", 4, 1, 2).end(8, "s/a", usage=used(6, 1, 3))
    told = [(began, ended, level / GIB) for began, ended, level in held_spans(run.history().attempts[0])]
    assert told == [(2, 3, 1), (3, 5, 3), (5, 6, 3), (6, 8, 2)]


def test_a_step_that_nobody_looked_at_held_its_peak() -> None:
    run = ToldRun().ready(0, "s/a").start(0, "s/a").end(2, "s/a", usage=used(2, 1, 3))
    assert list(held_spans(run.history().attempts[0])) == [(0, 2, 3 * GIB)]


def test_the_curves_of_the_eventful_run() -> None:
    """Its 30 s are 600 parts of 50 ms."""
    told = curves_of(eventful_run().history())
    assert (len(told.busy_cpus), told.part_s) == (600, pytest.approx(0.05))
    at = {second: round(second / told.part_s) for second in (1, 11, 13, 16, 21, 25)}
    assert {s: told.reserved_cpus[part] for s, part in at.items()} == {1: 2, 11: 1, 13: 2, 16: 2, 21: 2, 25: 1}
    assert {s: told.reserved_bytes[part] / GIB for s, part in at.items()} == {1: 2, 11: 1, 13: 2, 16: 3, 21: 5, 25: 1}
    assert [told.busy_cpus[at[second]] for second in (1, 25)] == [0.8, 0.9]


def test_all_cpu_time_is_under_the_curve_of_busy_cpus() -> None:
    history = eventful_run().history()
    told = curves_of(history)
    total = sum(attempt.cpu_s for attempt in history.attempts)
    assert sum(told.busy_cpus) * told.part_s == pytest.approx(total, rel=0.01)


def test_a_run_without_a_step_has_curves_that_lie_at_nothing() -> None:
    told = curves_of(ToldRun().history())
    assert (told.reserved_cpus, told.held_bytes) == ((0.0,), (0,))


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5)).map(
        lambda span: (span[0] / 4, (span[0] + span[1]) / 4, float(span[2]))
    ),
    max_size=8,
)


@given(spans=SPANS, n_parts=st.integers(1, 7))
def test_means_and_maxima_are_those_of_the_level_at_every_instant(
    spans: list[tuple[float, float, float]], n_parts: int
) -> None:
    """Levels change at quarters of a second only, so that the level in each eighth tells all."""
    part_s = 2.5
    means, maxima = in_parts([span for span in spans if span[1] <= n_parts * part_s], n_parts, part_s)
    inside = [span for span in spans if span[1] <= n_parts * part_s]
    for part in range(n_parts):
        instants = [part * part_s + (number + 0.5) / 8 for number in range(20)]
        levels = [sum(level for began, ended, level in inside if began <= at < ended) for at in instants]
        assert means[part] == pytest.approx(sum(levels) / 20)
        assert maxima[part] == pytest.approx(max(levels))
