"""What a run will do, before it does it: the scans, their graph of steps, and what each step is expected to need."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from tntpipe.bids.dataset import Dataset
from tntpipe.bids.entities import shown
from tntpipe.bids.scan import Finding, Scan
from tntpipe.bids.selection import select_scans
from tntpipe.cli.checks import Refusal, Warned, check_model, check_scans
from tntpipe.cli.settings import Settings
from tntpipe.cli.threads import worker_threads
from tntpipe.errors import BudgetError
from tntpipe.graph import Graph, build_graph
from tntpipe.model import Model
from tntpipe.pipeline.method import BrainExtraction
from tntpipe.pipeline.model_steps import PreparedModel, prepare_model
from tntpipe.pipeline.scan_steps import scan_steps
from tntpipe.profiling.estimates import MAX_CPUS, Estimates
from tntpipe.programs import ANTS_PROGRAMS, Programs, find_programs
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.events import Job
from tntpipe.steps.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run that could begin."""

    graph: Graph
    estimates: Estimates
    programs: Programs
    dataset: Dataset
    scans: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    warned: tuple[Warned, ...]
    notices: tuple[Finding, ...]


def make_plan(settings: Settings, n_threads: int, progress: Callable[[str], None]) -> Plan:
    """Select and check the scans, check the models, and build the graph.

    Raises
    ------
    TntpipeError
        Whatever makes the whole run impossible; what is wrong with one scan is among the refusals.
    """
    method = settings.method
    with worker_threads(2) as pool:  # what waits for a child and for files, beside what waits for the dataset
        programs_found = pool.submit(find_programs, bet=method.brain_extraction is BrainExtraction.BET)
        model_checked = pool.submit(check_model, settings.model, method)
        selected = select_scans(settings.bids_dir, settings.selection)
        facts, tissues = model_checked.result()
        programs = programs_found.result()
    assert tissues is not None
    model = prepare_model(settings.model, f"model-{settings.model.space}", facts.n_voxels, method)
    models = [model]
    if settings.subcortical_model is not None:
        models.append(_prepare_subcortical(settings.subcortical_model, settings))
    n_scans = len(selected.scans)
    subjects, refusals, warned = check_scans(
        selected.scans,
        method,
        settings.brain_mask_dir,
        n_threads=n_threads,
        cache=settings.work_dir / "checks.json",
        save_cache=not settings.plan,
        progress=lambda n_checked: progress(f"checking scans: {n_checked} of {n_scans}"),
    )
    second = models[1] if len(models) > 1 else None
    steps = [step for prepared in models for step in prepared.steps] if subjects else []
    scans = []
    for subject in subjects:
        made = scan_steps(subject, model, second, method, tissues)
        if refusal := _too_long(subject.scan, made):
            refusals.append(refusal)
        else:
            scans.append(subject.scan.key)
            steps += made
    refused = _named(selected.refused, settings.bids_dir)
    return Plan(
        graph=build_graph(steps, programs.commands),
        estimates=Estimates(settings.resources),
        programs=programs,
        dataset=selected.dataset,
        scans=tuple(scans),
        refusals=(*refused, *refusals),
        warned=tuple(warned),
        notices=selected.notices,
    )


def _prepare_subcortical(model: Model, settings: Settings) -> PreparedModel:
    facts, _ = check_model(model, settings.method)
    return prepare_model(model, f"subcortical-model-{model.space}", facts.n_voxels, settings.method)


LONGEST_NAME_BYTES = 255
"""Of a file, on every file system in common use."""


def _too_long(scan: Scan, steps: Iterable[Step]) -> Refusal | None:
    """Why a scan is refused whose name, lengthened to those of its derivatives, is no file name any more."""
    names = (os.path.basename(export.path) for step in steps for export in step.exports)  # noqa: PTH119
    longest = 1 + max(len(os.fsencode(name)) for name in names)  # the JSON beside a table has one letter more
    if longest <= LONGEST_NAME_BYTES:
        return None
    fact = f"{shown(str(scan.path))}: a derivative's name would have {longest} bytes, more than the "
    return Refusal(scan.key, f"{fact}{LONGEST_NAME_BYTES} that file systems take. Shorten the scan's name.")


def _named(findings: Iterable[Finding], bids_dir: Path) -> list[Refusal]:
    """Refusals by the name of the scan's file, or by the folder's place in the dataset; each has a name of its own."""
    refusals: dict[str, Refusal] = {}
    for finding in findings:
        name = shown(finding.path.name)
        if name.endswith((".nii", ".nii.gz")):
            name = name.removesuffix(".gz").removesuffix(".nii").removesuffix("_T1w")
        elif finding.path.is_relative_to(bids_dir):
            name = shown(str(finding.path.relative_to(bids_dir)))
        unique = next(n for n in chain((name,), (f"{name} ({k})" for k in count(2))) if n not in refusals)
        refusals[unique] = Refusal(unique, str(finding))
    return list(refusals.values())


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


def job_of(step: Step, estimates: Estimates, ants_n_proc: int | None, follows: tuple[str, ...] = ()) -> Job:
    """What the scheduler is told of a step; it chooses the CPUs of a moldable one, up to ``ants_n_proc``."""
    expected = estimates.of(step.kind, step.variant, step.voxels)
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


def jobs_of(graph: Graph, estimates: Estimates, done: Collection[str], ants_n_proc: int | None) -> list[Job]:
    """The scheduler's jobs for the steps that are not done."""
    return [
        job_of(step, estimates, ants_n_proc, tuple(name for name in graph.follows[step.name] if name not in done))
        for step in graph
        if step.name not in done
    ]
