"""What ``--plan`` says: how a run would go within one budget, or a table of how it would within several."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Sequence

from tntpipe.budget.find import Budget, find_budget
from tntpipe.cli.settings import Asked
from tntpipe.errors import BudgetError
from tntpipe.formatting import counted, printable
from tntpipe.planning.figures import figures, labelled
from tntpipe.planning.forecast import Forecast, forecast
from tntpipe.planning.gantt_picture import write_picture
from tntpipe.planning.gantt_text import gantt_text
from tntpipe.planning.what_if import Answer, table, what_if
from tntpipe.run.estimate_sources import guesses, summary
from tntpipe.run.jobs import jobs_of
from tntpipe.run.plan import Plan

WIDTH_OF_A_PIPE = 80


def predict(plan: Plan, done: Collection[str], asked: Asked, computed: Collection[str] = ()) -> None:
    """Print the forecast of what is left of the plan, and draw it where that is asked for.

    The steps that are ``computed`` are only published again.

    Raises
    ------
    BudgetError, OutputError
        None of several budgets, of which one is to be drawn, is large enough; the picture cannot be written.
    """
    budgets = [find_budget(*amounts) for amounts in asked.planned_budgets]
    jobs = jobs_of(plan.graph, plan.estimates, done, plan.settings.limits.ants_n_proc, computed)
    width = _width()
    n_to_run = len([job for job in jobs if job.name not in computed])
    n_scans = len({job.group for job in jobs if job.name not in computed} - {""})
    _print_what_is_planned(plan, n_to_run, len(computed), n_scans, budgets, asked, width)
    if len(budgets) == 1:
        drawn = forecast(jobs, budgets[0].resources)
        print("\n".join([*figures(drawn, width), "", *gantt_text(drawn, width)]))
    else:
        answers = tuple(what_if(jobs, [budget.resources for budget in budgets]))
        print("\n".join(["", *table(answers)]))
        drawn = _first_that_can_be(answers)
    if asked.plan_picture is not None:
        write_picture(drawn, asked.plan_picture)
        print(f"\npicture of the run on {drawn.budget}: {asked.plan_picture}")
    print("\nNothing was run.")


def _print_what_is_planned(
    plan: Plan, n_jobs: int, n_computed: int, n_scans: int, budgets: Sequence[Budget], asked: Asked, width: int
) -> None:
    lines = [("notice", str(notice)) for notice in (*asked.options.notices, *plan.notices)]
    lines += [("warning", f"{warned.scan}: {warned.message}") for warned in plan.warned]
    lines += [("refused", f"{refusal.scan}: {refusal.message}") for refusal in plan.refusals]
    if plan.estimates.file is not None:
        lines.append(("notice", summary(plan.graph, plan.estimates)))
    if guessed := guesses(plan.graph, plan.estimates):
        lines.append(("notice", guessed))
    n_done = len(plan.graph) - n_jobs - n_computed
    again = f", {n_computed} only to be published again" if n_computed else ""
    lines.append(("steps", f"{n_jobs} to run for {counted(n_scans, 'scan')}{again}, {n_done} done already"))
    if len(budgets) == 1:
        lines.append(("budget", f"{budgets[0].resources} ({budgets[0].cpus.source}; {budgets[0].mem.source})"))
    told = (line for label, text in lines for line in labelled(label, printable(text), width))
    print("\n".join(told), flush=True)


def _first_that_can_be(answers: Sequence[Answer]) -> Forecast:
    for answer in answers:
        if isinstance(answer.outcome, Forecast):
            return answer.outcome
    raise BudgetError("The steps fit in none of these budgets.", remedy="Give larger --n_proc or --memory_gb.")


def _width() -> int:
    """That of the terminal, or of a page where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_OF_A_PIPE
