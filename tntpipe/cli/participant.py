"""The level ``participant``: a run, or a plan, a graph or a list of what it would do."""

from __future__ import annotations

import gc
import sys

from tntpipe.bids.description import refuse_foreign_dataset
from tntpipe.budget.find import find_budget
from tntpipe.cli.dry_run import print_graph_written, print_plan, write_graph
from tntpipe.cli.predict import predict
from tntpipe.cli.settings import Asked
from tntpipe.errors import ExitStatus
from tntpipe.run.findings import survey_without_writing
from tntpipe.run.participant_run import run
from tntpipe.run.plan import Plan, make_plan
from tntpipe.run.within_budget import within_budget


def run_participants(asked: Asked) -> ExitStatus:
    """Run the level; how it went."""
    gc.disable()  # a plan of a thousand scans is millions of objects that live to the end: nothing to look for
    try:
        return _planned_and_run(asked)
    finally:
        gc.enable()


def _planned_and_run(asked: Asked) -> ExitStatus:
    settings, options = asked.settings, asked.options
    budget = find_budget(settings.limits.n_proc, settings.limits.memory_gb)
    if asked.plan:
        plan = make_plan(settings, n_threads=budget.cpu_limits[0].amount, progress=_say_progress, writes=False)
        if len(asked.planned_budgets) == 1:
            plan = within_budget(plan, budget)
        found = survey_without_writing(plan, forgets=options.clean_work)
        predict(plan, found.done, asked, found.computed)
        return _status_of(plan)
    plan = make_plan(settings, n_threads=budget.cpus.amount, progress=_say_progress)
    if asked.graph_output is not None:
        write_graph(plan.graph, asked.graph_output)
        print_graph_written(plan, asked.graph_output)
        return _status_of(plan)
    if asked.dry_run:
        plan = within_budget(plan, budget)
        refuse_foreign_dataset(settings.folders.output)
        print_plan(
            plan, budget, survey_without_writing(plan, forgets=options.clean_work), limits=options.loglevel == "DEBUG"
        )
        return _status_of(plan)
    return run(plan, options, budget)


def _status_of(plan: Plan) -> ExitStatus:
    return ExitStatus.SCAN_FAILED if plan.refusals else ExitStatus.SUCCESS


def _say_progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="\r", file=sys.stderr, flush=True)
