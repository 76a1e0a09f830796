"""What a run will do, before it does it: the scans, their graph of steps, and what each step is expected to need."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from tntpipe.bids.dataset import Dataset
from tntpipe.bids.entities import shown
from tntpipe.bids.scan import Finding, Scan
from tntpipe.bids.selection import select_scans
from tntpipe.pipeline.method import BrainExtraction, Method
from tntpipe.pipeline.model import Model
from tntpipe.pipeline.model_steps import PreparedModel, prepare_model
from tntpipe.pipeline.scan_steps import scan_steps
from tntpipe.profiling.estimates import Estimates
from tntpipe.programs.find import Programs, find_programs
from tntpipe.run.method_facts import with_provenance
from tntpipe.run.scan_checks import Refusal, Warned, check_model, check_scans
from tntpipe.run.settings import Settings
from tntpipe.run.threads import worker_threads
from tntpipe.steps.graph import Graph, build_graph
from tntpipe.steps.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run that could begin."""

    settings: Settings
    graph: Graph
    estimates: Estimates
    programs: Programs
    dataset: Dataset
    scans: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    warned: tuple[Warned, ...]
    notices: tuple[Finding, ...]


def make_plan(
    settings: Settings,
    *,
    n_threads: int | None = None,
    progress: Callable[[str], None] = lambda text: None,
    writes: bool = True,
) -> Plan:
    """Select and check the scans, check the models, and build the graph.

    Parameters
    ----------
    settings
        What is to be computed.
    n_threads
        So many scans are read at a time; by default as many as there are CPUs.
    progress
        Is called with what is being done.
    writes
        Whether what was found in the scans may be kept in the work folder, if there is one.

    Raises
    ------
    TntpipeError
        Whatever makes the whole run impossible; what is wrong with one scan is among the refusals.
    """
    method, models = settings.method, settings.models
    with worker_threads(2) as pool:  # what waits for a child and for files, beside what waits for the dataset
        programs_found = pool.submit(find_programs, bet=method.brain_extraction is BrainExtraction.BET)
        model_checked = pool.submit(check_model, models.main, method)
        selected = select_scans(settings.folders.dataset, settings.selection)
        facts, tissues = model_checked.result()
        programs = programs_found.result()
    assert tissues is not None
    model = prepare_model(models.main, f"model-{models.main.space}", facts.n_voxels, method)
    second = _prepare_subcortical(models.subcortical, method) if models.subcortical is not None else None
    n_scans = len(selected.scans)
    subjects, refusals, warned = check_scans(
        selected.scans,
        method,
        settings.brain_mask_dir,
        n_threads=n_threads or os.cpu_count() or 1,
        cache=settings.folders.work / "checks.json",
        save_cache=writes,
        progress=lambda n_checked: progress(f"checking scans: {n_checked} of {n_scans}"),
    )
    steps = [step for prepared in filter(None, (model, second)) for step in prepared.steps] if subjects else []
    scans = []
    for subject in subjects:
        made = scan_steps(subject, model, second, method, tissues)
        if refusal := _too_long(subject.scan, made):
            refusals.append(refusal)
        else:
            scans.append(subject.scan.key)
            steps += made
    refused = _named(selected.refused, settings.folders.dataset)
    return Plan(
        settings=settings,
        graph=build_graph(with_provenance(steps, settings, programs), programs.commands),
        estimates=Estimates(settings.resources),
        programs=programs,
        dataset=selected.dataset,
        scans=tuple(scans),
        refusals=(*refused, *refusals),
        warned=tuple(warned),
        notices=selected.notices,
    )


def _prepare_subcortical(model: Model, method: Method) -> PreparedModel:
    facts, _ = check_model(model, method)
    return prepare_model(model, f"subcortical-model-{model.space}", facts.n_voxels, method)


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
