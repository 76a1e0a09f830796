"""Figures of a run: the bound, the chain that ended last, kinds of step, scans, failures and the summary."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_runs import ToldRun, eventful_run, run_started, used

from tntpipe.formatting import GIB
from tntpipe.journal.events import Outcome, ScanOutcome, StepDropped
from tntpipe.journal.history import Ending
from tntpipe.report.bound import bound_of, last_chain
from tntpipe.report.curves import curves_of
from tntpipe.report.failures import MOST_TAILS, failures_of
from tntpipe.report.kinds import KindRow, Verdict, kind_rows
from tntpipe.report.scans import scan_rows
from tntpipe.report.summary import summary_of
from tntpipe.report.write import make_report
from tntpipe.run.report_page import explained


def chain_of_three() -> ToldRun:
    """One scan, each step ready when the one before it ended; b waits 4 s."""
    run = ToldRun().ready(0, "s/a").start(0, "s/a").end(3, "s/a", usage=used(3, 3, 1))
    run.ready(3, "s/b").start(7, "s/b").end(9, "s/b", usage=used(2, 2, 1))
    return run.ready(9, "s/c").start(9, "s/c").end(10, "s/c", usage=used(1, 1, 1)).run_end(10)


def test_the_bound_of_a_chain_is_its_running_time_without_the_waits() -> None:
    bound = bound_of(chain_of_three().history())
    assert bound is not None and bound.seconds == pytest.approx(6)


def test_the_bound_counts_the_memory_that_was_given() -> None:
    """Four steps of 3 of 8 GiB: two at a time, however many CPUs there are."""
    names = [f"s/{number}" for number in range(4)]
    run = ToldRun(run_started(cpus=8, gib=8)).ready(0, *names)
    for turn, name in enumerate(names):
        run.start(5 * turn, name, gib=3).end(5 * turn + 5, name, usage=used(5, 5, 1))
    bound = bound_of(run.run_end(20).history())
    assert bound is not None and bound.seconds == pytest.approx(10)
    assert "memory" in str(bound)


def test_the_bound_is_that_of_steps_with_an_end_of_their_own_once_each() -> None:
    """a (9.5 s on two CPUs), b's second attempt (5 s) and c (2 s) in a chain; not what was stopped or run again."""
    bound = bound_of(eventful_run().history())
    assert bound is not None and bound.seconds == pytest.approx(16.5)


def test_without_a_step_there_is_no_bound() -> None:
    assert bound_of(ToldRun().history()) is None


def test_steps_that_held_more_than_the_budget_leave_no_bound() -> None:
    run = ToldRun(run_started(gib=1)).ready(0, "s/a").start(0, "s/a", gib=2).end(1, "s/a", usage=used(1, 1, 1))
    assert bound_of(run.history()) is None


def test_the_chain_that_ended_last_is_told_with_its_waits() -> None:
    chain = last_chain(chain_of_three().history())
    assert [attempt.name for attempt in chain.attempts] == ["s/a", "s/b", "s/c"]
    assert (chain.running_s, chain.waiting_s) == (6, 4)


def test_a_chain_goes_through_attempts_that_were_run_again() -> None:
    run = ToldRun().ready(0, "s/a").start(0, "s/a").retry(2, "s/a", used(2, 2, 1)).start(3, "s/a").end(5, "s/a")
    chain = last_chain(run.history())
    assert [(attempt.name, attempt.number) for attempt in chain.attempts] == [("s/a", 1), ("s/a", 2)]
    assert (chain.running_s, chain.waiting_s) == (4, 1)


def rows_by_kind(run: ToldRun) -> dict[str, KindRow]:
    return {row.kind: row for row in kind_rows(run.history())}


def test_a_kind_counts_failures_and_attempts_that_were_run_again_apart() -> None:
    rows = rows_by_kind(eventful_run())
    told = {kind: (row.n, row.n_failed, row.n_retried) for kind, row in rows.items()}
    assert told == {"a": (1, 0, 0), "b": (1, 0, 1), "c": (1, 1, 0)}


def test_a_kinds_shares_are_of_what_was_reserved() -> None:
    row = rows_by_kind(eventful_run())["a"]
    assert row.cpu_share == pytest.approx(12 / 20)
    assert row.largest_share == pytest.approx(1.5 / 2)
    assert row.idle_byte_s == pytest.approx(0.5 * GIB * 10)
    assert row.expected_ratio == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("gib", "peak_gib", "verdict"),
    [(4, 3.9, Verdict.TIGHT), (4, 3, Verdict.FINE), (4, 1.9, Verdict.WASTED), (0.2, 0.05, Verdict.FINE)],
)
def test_requests_are_tight_or_wasted_by_their_largest_peak(gib: float, peak_gib: float, verdict: Verdict) -> None:
    run = ToldRun()
    for name, peak in (("s/a", 0.01), ("t/a", peak_gib)):
        run.ready(0, name).start(0, name, gib=gib).end(9, name, usage=used(9, 9, peak))
    assert rows_by_kind(run)["a"].memory_verdict is verdict


def test_a_kind_that_was_run_again_is_tight() -> None:
    assert rows_by_kind(eventful_run())["b"].memory_verdict is Verdict.TIGHT


@pytest.mark.parametrize(
    ("wall_s", "cpu_s", "verdict"), [(10, 4, Verdict.WASTED), (10, 6, Verdict.FINE), (1, 0.1, Verdict.FINE)]
)
def test_cpus_are_wasted_that_are_idle_for_most_of_a_step_worth_telling(
    wall_s: float, cpu_s: float, verdict: Verdict
) -> None:
    run = ToldRun().ready(0, "s/a").start(0, "s/a").end(wall_s, "s/a", usage=used(wall_s, cpu_s, 1))
    assert rows_by_kind(run)["a"].cpu_verdict is verdict


def test_variants_of_a_kind_have_rows_of_their_own() -> None:
    run = ToldRun()
    for name, variant in (("s/a", "quick"), ("t/a", "debug")):
        run.ready(0, name, variant=variant).start(0, name).end(1, name, usage=used(1, 1, 1))
    assert [(row.kind, row.variant) for row in kind_rows(run.history())] == [("a", "debug"), ("a", "quick")]


def test_a_scans_time_is_running_or_waiting() -> None:
    (row,) = (row for row in scan_rows(eventful_run().history()) if row.scan == "s")
    assert (row.elapsed_s, row.running_s, row.waited_s) == (22, 19, 3)
    assert row.waits == ((10, 12), (14, 15))
    assert (row.outcome, row.n_retried, row.n_over, row.n_steps) == ("failed", 1, 3, 3)


def test_what_was_refused_or_never_began_has_a_row_too_and_comes_last() -> None:
    run = eventful_run().scan_end(31, "u", ScanOutcome.REFUSED, "is empty")
    rows = scan_rows(run.history())
    assert [(row.scan, row.outcome) for row in rows] == [("s", "failed"), ("t", "stopped"), ("", ""), ("u", "refused")]


def test_a_failure_is_told_with_its_command_and_what_it_cost(tmp_path: Path) -> None:
    run = eventful_run().tell(31, StepDropped(name="s/d", scan="s", because="s/c"))
    (failed,) = failures_of(run.history(), tmp_path).steps
    assert (failed.command, failed.n_dropped, failed.log) == ("do 'a b'", 1, None)


def test_a_failure_is_told_with_what_is_known_of_its_cause(tmp_path: Path) -> None:
    run = ToldRun().ready(0, "sub-1/a").start(0, "sub-1/a")
    run.end(1, "sub-1/a", Outcome.FAILED, used(1, 1, 1), message="ended as if without an error")
    (tmp_path / "steps/sub-1").mkdir(parents=True)
    (tmp_path / "steps/sub-1/a.txt").write_text("ITK ERROR: x: All samples map outside moving image buffer.\n")
    (failed,) = failures_of(run.history(), tmp_path).steps
    assert (failed.cause, failed.advice) == ("", ())
    page = make_report(run.run_end(2).history(), tmp_path, explained).page
    assert "<strong>the images do not overlap, or a mask is empty</strong>: look at" in page
    assert "--exclude_participant_labels 1" in page


def test_the_log_in_the_runs_folder_is_read_before_that_in_the_work_folder(tmp_path: Path) -> None:
    folder = tmp_path / "work/s/a"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("from the work folder\n")
    run = ToldRun().ready(0, "s/a").start(0, "s/a")
    run.end(1, "s/a", Outcome.FAILED, used(1, 1, 1), message="no", folder=str(folder))
    run_dir = tmp_path / "a run"
    (failed,) = failures_of(run.history(), run_dir).steps
    assert (failed.last_lines, failed.link) == (("from the work folder",), "")
    (run_dir / "steps/s").mkdir(parents=True)
    (run_dir / "steps/s/a.txt").write_text("one\n\ntwo\n")
    (failed,) = failures_of(run.history(), run_dir).steps
    assert (failed.last_lines, failed.link) == (("one", "two"), "steps/s/a.txt")


def test_of_hundreds_of_failures_only_the_first_have_their_logs(tmp_path: Path) -> None:
    run = ToldRun()
    for number in range(MOST_TAILS + 1):
        name = f"s{number}/a"
        (tmp_path / f"steps/s{number}").mkdir(parents=True)
        (tmp_path / f"steps/{name}.txt").write_text("no\n")
        run.ready(0, name).start(0, name).end(1, name, Outcome.FAILED, used(1, 1, 1))
    failed = failures_of(run.history(), tmp_path).steps
    assert [bool(step.last_lines) for step in failed] == [True] * MOST_TAILS + [False]
    assert failed[-1].log is not None


def test_the_summary_counts_attempts_scans_and_shares_of_the_budget() -> None:
    history = eventful_run().history()
    summary = summary_of(history, curves_of(history))
    assert summary.makespan_s == 30 and summary.bound_ratio == pytest.approx(30 / 16.5)
    assert summary.reserved_share == pytest.approx((20 + 2 + 5 + 2 + 20) / 60)
    assert summary.busy_share == pytest.approx((12 + 1 + 5 + 0.5 + 18) / 60)
    assert summary.attempts == {Ending.DONE: 2, Ending.FAILED: 1, Ending.STOPPED: 1, Ending.RETRIED: 1}
    assert summary.scans == {ScanOutcome.FAILED: 1, ScanOutcome.STOPPED: 1}
    assert summary.largest_reserved_bytes == 5 * GIB


@pytest.mark.parametrize(
    ("exit_status", "outcome", "verdict", "is_good"),
    [
        (0, ScanOutcome.DONE, "done", True),
        (1, ScanOutcome.FAILED, "done; 1 scan failed", False),
        (130, ScanOutcome.STOPPED, "stopped before its end; the same command goes on", False),
        (None, None, "not ended: it was killed, or goes on", False),
        (70, ScanOutcome.DONE, "ended with status 70", False),
    ],
)
def test_the_verdict_is_in_words(
    exit_status: int | None, outcome: ScanOutcome | None, verdict: str, is_good: bool
) -> None:
    run = ToldRun()
    if outcome is not None:
        run.scan_end(1, "s", outcome)
    if exit_status is not None:
        run.run_end(2, exit_status)
    history = run.history()
    summary = summary_of(history, curves_of(history))
    assert (summary.verdict, summary.is_good) == (verdict, is_good)
