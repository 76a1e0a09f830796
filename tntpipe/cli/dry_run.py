"""What a run would do, told without doing it: scans, steps, requests and output names, or the graph as a picture."""

from __future__ import annotations

import shutil
import subprocess
from itertools import chain
from pathlib import Path

from tntpipe.budget.find import Budget
from tntpipe.errors import OutputError, ProgramMissingError, UsageError
from tntpipe.files import encoded, replaced_atomically, write_text
from tntpipe.formatting import counted, format_gib, printable
from tntpipe.run.estimate_sources import guesses, sources, summary
from tntpipe.run.findings import notices_of
from tntpipe.run.jobs import job_of
from tntpipe.run.plan import Plan
from tntpipe.steps.graph import Graph, dot
from tntpipe.store.survey import Survey


def print_plan(plan: Plan, budget: Budget, found: Survey, *, limits: bool = False) -> None:
    """Print everything that the run would do, one line a step and a line below it for each derivative.

    ``found`` is what is there already. With ``limits``, all that could have been the budget is told too.
    """
    folders = plan.settings.folders
    _say(f"dataset  {folders.dataset}\noutput   {folders.output}\nwork     {folders.work}")
    _say(f"budget   {budget}")
    for warning in budget.warnings:
        _say(f"warning  {warning}")
    if limits:
        for limit in budget.others:
            _say(f"limit    {limit}")
    _say(f"ANTs     {plan.programs.ants}")
    for notice in (*budget.notices, *plan.notices):
        _say(f"notice   {notice}")
    for warned in plan.warned:
        _say(f"warning  {warned.scan}: {warned.message}")
    _say(f"notice   {summary(plan.graph, plan.estimates)}")
    if guessed := guesses(plan.graph, plan.estimates):
        _say(f"notice   {guessed}")
    for notice in notices_of(found, folders):
        _say(f"{'warning ' if notice.level == 'WARNING' else 'notice  '} {notice.text}")
    for refusal in plan.refusals:
        _say(f"refused  {refusal.scan}: {refusal.message}")
    for name in chain.from_iterable(found.superseded.values()):
        _say(f"withdraw {name}")
    for scan in ("", *plan.scans):
        _say(f"\n{scan or 'once for all scans'}")
        for step in plan.graph:
            if step.scan == scan:
                job = job_of(step, plan.estimates, plan.settings.limits.ants_n_proc)
                cpus = f"{job.request.cpus}-{job.max_cpus}" if job.moldable else str(job.request.cpus)
                memory = format_gib(job.request.mem_bytes)
                needs = f"{cpus:>3} CPU {memory:>9} {job.wall_s:>8.0f} s"
                _say(f"  {step.kind:<28} {needs}  {step.program:<28} {sources(step, plan.estimates)}")
                for export in step.exports:
                    _say(f"      {export.path}")
    counts = f"{counted(len(plan.scans), 'scan')}, {len(plan.graph)} steps, {len(plan.refusals)} refused"
    _say(f"\n{counts}; nothing was run.")


def print_graph_written(plan: Plan, path: Path) -> None:
    """Say where the graph went, and which scans are not in it."""
    for refusal in plan.refusals:
        _say(f"refused  {refusal.scan}: {refusal.message}")
    _say(f"graph of {len(plan.graph)} steps: {path}; nothing was run.")


def _say(text: str) -> None:
    print(printable(text))


def write_graph(graph: Graph, path: Path) -> None:
    """Write the graph as dot, or, by Graphviz, as the picture that the name's ending says."""
    text = dot(graph)
    try:
        if path.suffix == ".dot":
            write_text(path, text)
            return
        if path.suffix not in (".svg", ".png", ".pdf"):
            raise UsageError(
                f"A graph cannot be written as {path.name}.", remedy="End the name in .dot, .svg, .png or .pdf."
            )
        program = shutil.which("dot")
        if program is None:
            raise ProgramMissingError(
                f"Graphviz, which makes {path.suffix} pictures, is not installed: there is no dot on PATH.",
                remedy=f"Install it, or write {path.with_suffix('.dot').name} instead.",
            )
        with replaced_atomically(path) as temporary:
            subprocess.run([program, f"-T{path.suffix[1:]}", "-o", temporary], input=encoded(text), check=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.", remedy="Name another file.") from error
    except subprocess.CalledProcessError as error:
        raise OutputError(
            f"{path} cannot be drawn: Graphviz ended with exit status {error.returncode}.",
            remedy=f"Write {path.with_suffix('.dot').name} instead.",
        ) from error
