"""Steps that prepare a model, once for all scans: headers as ANTs needs them, the model brain, the tags as ANTs'
points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tntpipe.pipeline.method import Method
from tntpipe.pipeline.model import Labelled, Model
from tntpipe.steps.arithmetic import image_input, imaging
from tntpipe.steps.registration import TISSUES
from tntpipe.steps.step import Input, Place, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedLabels:
    """A label map as a step makes it, with the user's table of its labels."""

    image: str
    table: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedModel:
    """The files of a model as the scans' steps read them, and the steps that make them."""

    space: str
    t1w: str
    brain: str
    brain_mask: str
    steps: tuple[Step, ...]
    lobes: PreparedLabels | None = None
    tags: Labelled | None = None
    tag_points: str | None = None
    intracranial_mask: str | None = None
    subcortex: PreparedLabels | None = None
    nuclei_by_priors: bool = False
    priors: Labelled | None = None
    tissue_maps: Mapping[str, str] | None = None


def prepare_model(model: Model, folder: str, voxels: int, method: Method) -> PreparedModel:
    """The steps for a model whose template has that many voxels; ``folder`` is where the work folder keeps it."""
    place = Place(folder=folder, voxels=voxels)

    def cleaned(kind: str, path: Path) -> Step:
        return clean_header(place, f"model_{kind}", path, method.max_shear_angle_rad)

    def cleaned_labels(kind: str, labels: Labelled) -> tuple[Step, PreparedLabels]:
        step = cleaned(kind, labels.path)
        return step, PreparedLabels(image=step.product(CLEAN), table=labels.labels)

    t1w, mask = cleaned("T1w", model.t1w), cleaned("brain_mask", model.brain_mask)
    brain = _brain(place, t1w.product(CLEAN), mask.product(CLEAN), method)
    lobes = cleaned_labels("lobes", model.lobes) if model.lobes else None
    subcortex = cleaned_labels("subcortex", model.subcortex) if model.subcortex and method.subcortical else None
    intracranial = (
        cleaned("intracranial_mask", model.intracranial_mask)
        if model.intracranial_mask and method.intracranial_volume
        else None
    )
    points = _tag_points(place, model.tags) if model.tags else None
    maps = _tissue_maps(place, model.priors) if model.priors else None
    steps = (t1w, mask, brain, *(pair[0] for pair in (lobes, subcortex) if pair), intracranial, points, maps)
    return PreparedModel(
        space=model.space,
        t1w=t1w.product(CLEAN),
        brain=brain.product(MASKED),
        brain_mask=mask.product(CLEAN),
        steps=tuple(step for step in steps if step is not None),
        lobes=lobes[1] if lobes else None,
        tags=model.tags,
        tag_points=points.product(POINTS) if points else None,
        intracranial_mask=intracranial.product(CLEAN) if intracranial else None,
        subcortex=subcortex[1] if subcortex else None,
        nuclei_by_priors=model.nuclei_by_priors,
        priors=model.priors,
        tissue_maps={tissue: maps.product(tissue_map(tissue)) for tissue in TISSUES} if maps else None,
    )


CLEAN, MASKED, POINTS = "clean.nii.gz", "masked.nii.gz", "points.csv"


def clean_header(place: Place, kind: str, path: Path, max_shear_angle_rad: float) -> Step:
    """Leave one orientation, the qform, in a header."""
    image = Input(image_input("image", path.name), path)
    words = ("--input", image, "--output", CLEAN, "--max_shear_angle", repr(max_shear_angle_rad))
    return imaging(place, kind, "clean-header", *words, outputs=(CLEAN,))


def multiply(place: Place, kind: str, image: str, mask: str) -> Step:
    """An image inside a mask, zero outside it."""
    words = ("--image", Input("image.nii.gz", image), "--mask", Input("mask.nii.gz", mask), "--output", MASKED)
    return imaging(place, kind, "multiply", *words, outputs=(MASKED,))


def _brain(place: Place, t1w: str, mask: str, method: Method) -> Step:
    """The model's brain as the scan's: on the preset's grid, where it has one."""
    if method.preset.grid_mm is None:
        return multiply(place, "model_brain", t1w, mask)
    words = ("--image", Input("T1w.nii.gz", t1w), "--mask", Input("mask.nii.gz", mask), "--output", MASKED)
    return imaging(place, "model_brain", "crop-brain", *words, *method.preset.grid_words, outputs=(MASKED,))


def tissue_map(tissue: str) -> str:
    """The file of one tissue's probabilities, of the commands ``prior-tissues`` and ``tissue-maps``."""
    return f"tissue_{tissue}.nii.gz"


def _tissue_maps(place: Place, priors: Labelled) -> Step:
    image = Input(image_input("priors", priors.path.name), priors.path)
    words = ("--priors", image, "--priors_table", Input("priors.tsv", priors.labels))
    files = tuple(tissue_map(tissue) for tissue in TISSUES)
    return imaging(place, "model_tissue_maps", "prior-tissues", *words, "--output", "tissue_", outputs=files)


def _tag_points(place: Place, tags: Labelled) -> Step:
    words = ("--tags", Input("tags.tsv", tags.path), "--output", POINTS)
    return imaging(place, "model_tag_points", "tags-to-points", *words, outputs=(POINTS,))
