"""The figures of a forecast, against cases worked by hand."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hand_worked import BUDGET, JOBS, job, span
from virtual_time import one_large_of_each

from tntpipe.errors import BudgetError
from tntpipe.formatting import GIB
from tntpipe.planning.figures import figures
from tntpipe.planning.forecast import Forecast, forecast
from tntpipe.planning.lanes import in_lanes
from tntpipe.planning.load import Load, load_over_time
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.simulation.simulator import SimulatedWorld


def test_the_figures_of_two_scans_on_two_cpus() -> None:
    foreseen = forecast(JOBS, BUDGET)
    assert foreseen.makespan_s == 80
    assert (foreseen.peak_cpus, foreseen.peak_mem_bytes) == (2, 6 * GIB)
    assert foreseen.cpu_s == 120
    assert foreseen.mean_busy_cpus == 1.5
    assert list(foreseen.scan_ends_s.items()) == [("b", 40), ("a", 80)]
    assert [foreseen.seconds_until_done(n) for n in (1, 2)] == [40, 80]
    assert foreseen.bound.seconds == pytest.approx(80)
    assert foreseen.bound_ratio == pytest.approx(1)


def test_memory_for_one_at_a_time_makes_them_run_in_turn() -> None:
    foreseen = forecast(JOBS, Resources(2, 4 * GIB))
    assert foreseen.makespan_s >= 100
    assert foreseen.peak_mem_bytes == 4 * GIB


def test_the_makespan_is_that_of_the_simulated_run() -> None:
    jobs = [replace(one, max_cpus=4, thread_overhead=0.1) for one in JOBS]
    world = SimulatedWorld({one.name: one.wall_s for one in jobs}, jobs=jobs)
    drive(Scheduler(jobs, Resources(6, 8 * GIB)), world)
    many = [*jobs, *(job(f"x{number}", "none", wall_s=0) for number in range(1000))]  # too many for the adviser
    assert forecast(many, Resources(6, 8 * GIB)).makespan_s == max(span.ended for span in world.trace)


def test_a_forecast_can_be_repeated() -> None:
    jobs = [
        job(f"s{number:02}", kind, *follows, wall_s=wall_s + number, gib=2)
        for number in range(12)
        for kind, follows, wall_s in (("align", (), 50), ("register", ("align",), 300))
    ]
    moldable = [replace(one, max_cpus=8, thread_overhead=0.08) for one in jobs]
    assert forecast(moldable, Resources(16, 32 * GIB)) == forecast(moldable, Resources(16, 32 * GIB))


def test_nothing_to_do_takes_no_time() -> None:
    foreseen = forecast((), BUDGET)
    assert (foreseen.makespan_s, foreseen.mean_busy_cpus, foreseen.bound_ratio) == (0, 0, 1)


def test_a_step_larger_than_the_budget_is_refused() -> None:
    with pytest.raises(BudgetError, match="a/register"):
        forecast(JOBS, Resources(2, 2 * GIB))


def test_what_ends_makes_room_for_what_begins_at_the_same_instant() -> None:
    loads = load_over_time([(0, 5, Resources(2, 7)), (5, 6, Resources(2, 7))])
    assert loads == (Load(0, Resources(2, 7)), Load(5, Resources(2, 7)), Load(6, Resources(0, 0)))


def test_a_step_takes_neighbouring_lanes_where_there_are_some() -> None:
    spans = [span("a", "x", 0, 10), span("b", "y", 0, 5, cpus=2), span("c", "z", 5, 9), span("d", "w", 6, 8, cpus=2)]
    assert [(item.span.scan, item.lane, item.n_lanes) for item in in_lanes(spans)] == [
        ("a", 0, 1),
        ("b", 1, 2),
        ("c", 1, 1),
        ("d", 2, 2),
    ]


def test_a_step_without_neighbouring_lanes_is_drawn_in_pieces() -> None:
    spans = [span(scan, "x", 0, ended_s) for scan, ended_s in (("a", 5), ("b", 9), ("c", 5), ("d", 9))]
    placed = in_lanes([*spans, span("e", "y", 5, 6, cpus=2)])
    assert [(item.lane, item.n_lanes) for item in placed if item.span.scan == "e"] == [(0, 1), (2, 1)]


def test_the_figures_name_the_policy_that_leads_and_what_the_others_would_take() -> None:
    """Two large jobs side by side would keep the short ones waiting that follow others."""
    lines = figures(forecast(one_large_of_each(4), Resources(5, 8 * GIB)), 200)
    (policy,) = (line for line in lines if line.startswith("policy "))
    (alone,) = (line for line in lines if line.startswith("alone "))
    assert "one large job at a time" in policy
    assert re.search(r"the best policy by itself ends after 0:02:\d\d \(.*one large job at a time", alone), alone
    assert re.search(r"the worst after 0:0[23]:\d\d \(", alone), alone


def test_the_figures_as_text() -> None:
    lines = figures(forecast(JOBS, BUDGET), 80)
    assert lines == [
        "makespan     0:01:20 (hours, minutes, seconds)",
        "lower bound  0:01:20 (the run takes 1.00 times that), by the longest chain: 1:20",
        "             of jobs in turn, each with as many CPUs as it can use",
        "memory       6.0 GiB reserved at most, of 8.0 GiB",
        "CPUs         1.5 of 2 busy on average",
        "CPU time     0.0 hours",
        "policy       longest path first",
        "alone        each policy by itself ends after 0:01:20",
        "scans done   the first after 0:00:40, half after 0:00:40, all after 0:01:20",
    ]


def test_a_forecast_of_what_was_measured_needs_no_scheduler() -> None:
    bound = forecast(JOBS, BUDGET).bound
    measured = Forecast.of([span("a", "x", 0, 4, cpus=2), span("a", "y", 6, 10)], BUDGET, bound)
    assert (measured.makespan_s, measured.cpu_s, measured.mean_busy_cpus) == (10, 12, 1.2)
