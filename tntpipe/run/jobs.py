"""From steps to the scheduler's jobs: what each is expected to need, and that the budget holds every one of them."""

from __future__ import annotations

from collections.abc import Collection

from tntpipe.errors import BudgetError
from tntpipe.profiling.estimates import MAX_CPUS, Estimates
from tntpipe.programs.find import ANTS_PROGRAMS
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.job import Job
from tntpipe.steps.graph import Graph
from tntpipe.steps.step import Step


def check_budget(graph: Graph, estimates: Estimates, ants_n_proc: int | None, budget: Resources) -> None:
    """Refuse steps that ask for more than the whole budget, before anything is written.

    Raises
    ------
    BudgetError
        Naming the steps and both figures.
    """
    alike = {(step.kind, step.variant, step.voxels, step.moldable): step for step in graph}
    try:
        Scheduler([job_of(step, estimates, ants_n_proc) for step in alike.values()], budget)
    except BudgetError as error:
        options = "--n_proc and --memory_gb set the budget."
        if estimates.file is not None:
            options += f" The resource file {estimates.file.path} may ask for too much."
        raise BudgetError(error.fact, remedy=f"{error.remedy} {options}") from None


COMPUTED_S = 1.0
"""An allowance for a step whose result is there and is only published again: a copy of some files."""


def computed_job(step: Step, estimates: Estimates, follows: tuple[str, ...]) -> Job:
    """What the scheduler is told of a step that was computed before: one CPU, no time worth speaking of.

    Its memory is asked for all the same, for the case that the result is gone when its turn comes.
    """
    expected = estimates.of(step.kind, step.variant, step.voxels)
    return Job(
        name=step.name,
        request=Resources(1, expected.mem_bytes),
        wall_s=COMPUTED_S,
        follows=follows,
        group=step.scan,
        kind=step.kind,
    )


def job_of(step: Step, estimates: Estimates, ants_n_proc: int | None, follows: tuple[str, ...] = ()) -> Job:
    """What the scheduler is told of a step; it chooses the CPUs of a moldable one, up to ``ants_n_proc``."""
    expected = estimates.of(step.kind, step.variant, step.voxels, step.program)
    fewest = 1 if step.moldable or step.program in ANTS_PROGRAMS else expected.cpus
    return Job(
        name=step.name,
        request=Resources(fewest, expected.mem_bytes),
        wall_s=expected.wall_s(1),
        follows=follows,
        group=step.scan,
        kind=step.kind,
        max_cpus=min(MAX_CPUS, ants_n_proc or MAX_CPUS) if step.moldable else fewest,
        thread_overhead=expected.thread_overhead if step.moldable else 0.0,
    )


def jobs_of(
    graph: Graph,
    estimates: Estimates,
    done: Collection[str],
    ants_n_proc: int | None,
    computed: Collection[str] = (),
) -> list[Job]:
    """The scheduler's jobs for the steps that are not done; those that are ``computed`` take no time."""
    jobs = []
    for step in graph:
        if step.name not in done:
            follows = tuple(name for name in graph.follows[step.name] if name not in done)
            if step.name in computed:
                jobs.append(computed_job(step, estimates, follows))
            else:
                jobs.append(job_of(step, estimates, ants_n_proc, follows))
    return jobs
