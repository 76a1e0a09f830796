"""A step's input keeps the ending of the user's file: readers know by it whether the file is compressed."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from whole_graphs import FIRST, TISSUES, model

from tntpipe.pipeline.build import Subject
from tntpipe.pipeline.method import BrainExtraction, Method
from tntpipe.pipeline.model import Labelled, Model
from tntpipe.pipeline.model_steps import prepare_model
from tntpipe.pipeline.scan_steps import scan_steps

METHOD = Method(brain_extraction=BrainExtraction.GIVEN, subcortical=True, intracranial_volume=True)


def with_ending(given: Model, ending: str) -> Model:
    """The model with every image under another ending."""

    def renamed(value: object) -> object:
        if isinstance(value, Labelled):
            return replace(value, path=renamed(value.path))  # type: ignore[arg-type]
        return Path(str(value).replace(".nii.gz", ending)) if isinstance(value, Path) else value

    return replace(given, **{field.name: renamed(getattr(given, field.name)) for field in fields(given)})  # type: ignore[arg-type]


@pytest.mark.parametrize("priors", [True, False])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_every_image_of_the_users_has_its_own_ending_in_its_step(ending: str, priors: bool) -> None:
    main = prepare_model(with_ending(model("Main", priors=priors), ending), "model-Main", 1000, METHOD)
    scan = replace(FIRST, path=Path(f"/data/sub-01/anat/sub-01_T1w{ending}"))
    subject = Subject(scan=scan, voxels=7_000_000, voxel_mm=1.0, brain_mask=Path(f"/masks/sub-01{ending}"))
    steps = (*main.steps, *scan_steps(subject, main, None, METHOD, TISSUES))
    given = [item for step in steps for item in step.inputs if isinstance(item.source, Path)]
    images = [item for item in given if ".nii" in item.source.name and item.source.stem[:4] != "tags"]
    assert {item.source.parts[1] for item in images} == {"data", "masks", "models"}
    for item in images:
        assert item.name.endswith(ending) and item.name.endswith(".gz") == ending.endswith(".gz"), item
