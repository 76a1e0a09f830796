"""Made-up cohorts with the graph, the requests and the estimates of real scans: what a node is given for days."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from tntpipe.bids.scan import Scan
from tntpipe.pipeline.build import Subject, TissueClasses
from tntpipe.pipeline.method import Method
from tntpipe.pipeline.model import Labelled, Model
from tntpipe.pipeline.model_steps import prepare_model
from tntpipe.pipeline.scan_steps import scan_steps
from tntpipe.profiling.estimates import Estimates
from tntpipe.programs.ants import PROGRAMS
from tntpipe.resources import Resources
from tntpipe.run.jobs import jobs_of
from tntpipe.scheduler.job import Job
from tntpipe.steps.graph import Graph, build_graph
from tntpipe.steps.registration import PRESETS
from tntpipe.steps.step import Step

MODEL_VOXELS = 193 * 229 * 193
SCAN_VOXELS = 181 * 217 * 181
TISSUES = TissueClasses(names={1: "CSF", 2: "GM", 3: "WM"})


def cohort_graph(n_scans: int, *, second_registration: bool, preset: str = "reference") -> Graph:
    """The graph of scans of 1 mm; with ``second_registration`` the nuclei come from a model of another space."""
    method = Method(preset=PRESETS[preset], subcortical=True, intracranial_volume=True)
    main = prepare_model(_model("main"), "model-main", MODEL_VOXELS, method)
    second = None
    steps: list[Step] = list(main.steps)
    if second_registration:
        second = prepare_model(_model("second"), "subcortical-model-second", MODEL_VOXELS, method)
        steps += second.steps
    for number in range(1, n_scans + 1):
        label = f"{number:04d}"
        scan = Scan(Path(f"/data/sub-{label}/anat/sub-{label}_T1w.nii.gz"), (("subject", label),))
        steps += scan_steps(
            Subject(scan=scan, voxels=SCAN_VOXELS, voxel_mm=1.0, brain_mask=None), main, second, method, TISSUES
        )
    return build_graph(steps, {*PROGRAMS, "imaging"})


def cohort_jobs(n_scans: int, *, second_registration: bool, fixed_cpus: int | None = None) -> list[Job]:
    """The jobs of a cohort; with ``fixed_cpus`` each that could have several has so many, and nothing is chosen."""
    jobs = jobs_of(cohort_graph(n_scans, second_registration=second_registration), Estimates(), (), None)
    return jobs if fixed_cpus is None else [_with(job, fixed_cpus) for job in jobs]


def _with(job: Job, cpus: int) -> Job:
    if not job.moldable:
        return job
    request = Resources(cpus, job.request.mem_bytes)
    return replace(job, request=request, wall_s=job.wall_s_at(cpus), max_cpus=cpus)


def true_times(jobs: list[Job], seed: int, spread: float = 0.2) -> dict[str, float]:
    """What each job takes with its fewest CPUs: its estimate, uniformly wrong by up to ``spread``."""
    rng = random.Random(seed)
    return {
        job.name: job.wall_s * rng.uniform(1 - spread, 1 + spread) for job in sorted(jobs, key=lambda job: job.name)
    }


def _model(space: str) -> Model:
    def labelled(name: str) -> Labelled:
        return Labelled(path=Path(f"/models/{space}/{name}.nii.gz"), labels=Path(f"/models/{space}/{name}_labels.tsv"))

    return Model(
        space=space,
        t1w=Path(f"/models/{space}/T1w.nii.gz"),
        brain_mask=Path(f"/models/{space}/mask.nii.gz"),
        lobes=labelled("lobes"),
        tags=labelled("tags"),
        intracranial_mask=Path(f"/models/{space}/icv.nii.gz"),
        subcortex=labelled("subcortex"),
    )
