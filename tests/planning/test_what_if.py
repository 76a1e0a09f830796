"""The same steps under several budgets."""

from __future__ import annotations

from hand_worked import JOBS

from tntpipe.formatting import GIB
from tntpipe.planning.what_if import table, what_if
from tntpipe.resources import Resources


def test_each_budget_has_a_row_and_one_that_is_too_small_says_for_what() -> None:
    budgets = [Resources(2, 8 * GIB), Resources(16, 64 * GIB), Resources(2, 2 * GIB)]
    assert table(what_if(JOBS, budgets)) == [
        "CPUs    memory  makespan  of bound  first done  half done  CPUs busy",
        "   2   8.0 GiB   0:01:20    1.00 x     0:00:40    0:00:40  1.5 (75%)",
        "  16  64.0 GiB   0:01:20    1.00 x     0:00:40    0:00:40   1.5 (9%)",
        "   2   2.0 GiB  too small: a/register needs 1 CPU, 3.0 GiB, and 1 more step does not fit",
    ]


def test_no_steps_have_a_row_too() -> None:
    (_, row) = table(what_if((), [Resources(1, GIB)]))
    assert row.split() == ["1", "1.0", "GiB", "0:00:00", "1.00", "x", "-", "-", "0.0", "(0%)"]
