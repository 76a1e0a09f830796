"""Every kind of step that a run may have, found by building the steps of each method; no list of them is kept.

Nothing is read: the files of the models and the scan are names only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, get_type_hints

from tntpipe.bids.scan import Scan
from tntpipe.pipeline.build import Subject, TissueClasses
from tntpipe.pipeline.method import Method
from tntpipe.pipeline.model import Labelled, Model
from tntpipe.pipeline.model_steps import prepare_model
from tntpipe.pipeline.scan_steps import scan_steps
from tntpipe.steps.step import Step

NOWHERE = Path("/")


@cache
def step_kinds() -> frozenset[str]:
    """Their names, over all methods and models."""
    return frozenset(step.kind for method in _methods() for step in _steps(method))


def _methods() -> Iterator[Method]:
    """One for each choice of the settings that are a choice: yes or no, or a name of an enumeration."""
    types = get_type_hints(Method)
    choices: dict[str, tuple[Any, ...]] = {}
    for field in fields(Method):
        kind = types[field.name]
        if kind is bool:
            choices[field.name] = (False, True)
        elif isinstance(kind, type) and issubclass(kind, Enum):
            choices[field.name] = tuple(kind)
    for values in product(*choices.values()):
        yield Method(**dict(zip(choices, values, strict=True)))


def _steps(method: Method) -> Iterator[Step]:
    """Those of a scan with each sort of model, and with a second one."""
    subject = Subject(scan=Scan(NOWHERE / "T1w.nii", (("subject", "a"),)), voxels=1, voxel_mm=1.0, brain_mask=NOWHERE)
    classes = TissueClasses(names={1: "CSF", 2: "GM", 3: "WM"})
    other = prepare_model(_model("other"), "other", 1, method)
    for priors in (False, True):
        model = prepare_model(_model("main", priors=priors), "main", 1, method)
        yield from model.steps
        for second in (None, other):
            yield from scan_steps(subject, model, second, method, classes)


def _model(space: str, *, priors: bool = False) -> Model:
    labelled = Labelled(path=NOWHERE / "image.nii", labels=NOWHERE / "labels.tsv")
    return Model(
        space=space,
        t1w=NOWHERE / "T1w.nii",
        brain_mask=NOWHERE / "mask.nii",
        intracranial_mask=NOWHERE / "mask.nii",
        lobes=labelled,
        tags=labelled,
        subcortex=labelled,
        priors=labelled if priors else None,
    )
