"""The whole method as a graph, for scans and models whose files nobody reads."""

from __future__ import annotations

from pathlib import Path

from tntpipe.bids.scan import Scan
from tntpipe.pipeline.build import Subject, TissueClasses
from tntpipe.pipeline.method import BrainExtraction, Method
from tntpipe.pipeline.model import Labelled, Model
from tntpipe.pipeline.model_steps import prepare_model
from tntpipe.pipeline.scan_steps import scan_steps
from tntpipe.programs.ants import PROGRAMS
from tntpipe.steps.graph import Graph, build_graph

FIRST = Scan(Path("/data/sub-01/anat/sub-01_T1w.nii.gz"), (("subject", "01"),))
SECOND = Scan(
    Path("/data/sub-01/ses-2/anat/sub-01_ses-2_run-1_T1w.nii"), (("subject", "01"), ("session", "2"), ("run", "1"))
)
TISSUES = TissueClasses(names={1: "CSF", 2: "GM", 3: "WM"})


def model(space: str, *, whole: bool = True, priors: bool = False) -> Model:
    """A model of that name: with everything, or with subcortical labels only; with probabilities, or without."""

    def labelled(name: str) -> Labelled:
        return Labelled(path=Path(f"/models/{space}/{name}.nii.gz"), labels=Path(f"/models/{space}/{name}_labels.tsv"))

    return Model(
        space=space,
        t1w=Path(f"/models/{space}/T1w.nii.gz"),
        brain_mask=Path(f"/models/{space}/mask.nii.gz"),
        lobes=labelled("lobes") if whole else None,
        tags=labelled("tags") if whole else None,
        intracranial_mask=Path(f"/models/{space}/icv.nii.gz") if whole else None,
        subcortex=labelled("subcortex"),
        priors=labelled("priors") if priors else None,
    )


def graph_of(
    method: Method,
    *scans: Scan,
    subcortical_model: Model | None = None,
    priors: bool = True,
    voxel_mm: float = 1.0,
) -> Graph:
    """All steps of these scans (of one scan where none is given) with the model ``Main``."""
    main = prepare_model(model("Main", priors=priors), "model-Main", 1000, method)
    second = None
    if subcortical_model is not None:
        second = prepare_model(subcortical_model, f"subcortical-model-{subcortical_model.space}", 2000, method)
    steps = [*main.steps, *(second.steps if second else ())]
    given = method.brain_extraction is BrainExtraction.GIVEN
    for scan in scans or (FIRST,):
        mask = Path(f"/masks/{scan.key}.nii.gz") if given else None
        subject = Subject(scan=scan, voxels=7_000_000, voxel_mm=voxel_mm, brain_mask=mask)
        steps += scan_steps(subject, main, second, method, TISSUES)
    return build_graph(steps, {*PROGRAMS, "imaging", "bet"})
