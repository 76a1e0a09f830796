"""antsApplyTransforms and antsApplyTransformsToPoints commands."""

from __future__ import annotations

from collections.abc import Sequence

from tntpipe.steps.step import Input, Place, Source, Step

PROBABILITY, MASK, LABELS = "Linear", "NearestNeighbor", "GenericLabel[Linear]"
"""Interpolations, by what the image holds."""


def apply_to_image(
    place: Place,
    kind: str,
    *,
    image: Source,
    reference: Source,
    transform: Source,
    interpolation: str,
    output: str,
) -> Step:
    """Carry a model image to the grid of ``reference`` with the transform that maps model to scan."""
    data_type = {PROBABILITY: "float", MASK: "uchar", LABELS: "int"}[interpolation]
    words = ("--interpolation", interpolation, "--output-data-type", data_type, "--output", output)
    return _applied(place, kind, image, reference, (_transform_input("transform", transform),), words, output)


DISPLACEMENT = "displacement.nii.gz"


def displacement_field(
    place: Place, kind: str, *, image: Source, reference: Source, transforms: Sequence[Source]
) -> Step:
    """The vector (mm, LPS) from each voxel of ``reference`` to its place in the space of ``image``.

    A point of ``reference`` goes through the transforms in their order. What is written is a transform itself: ANTs
    applies it like the ones that it is made of.
    """
    chain = tuple(_transform_input(f"transform{n}", source) for n, source in enumerate(transforms))
    return _applied(place, kind, image, reference, chain, ("--output", f"[{DISPLACEMENT},1]"), DISPLACEMENT)


def _applied(
    place: Place,
    kind: str,
    image: Source,
    reference: Source,
    transforms: tuple[Input, ...],
    words: tuple[str, ...],
    output: str,
) -> Step:
    files = (Input("image.nii.gz", image), Input("reference.nii.gz", reference), *transforms)
    return Step(
        place=place,
        kind=kind,
        program="antsApplyTransforms",
        arguments=(
            *("--dimensionality", "3", "--verbose", "1", "--input", files[0].word),
            *("--reference-image", files[1].word),
            *(word for item in transforms for word in ("--transform", item.word)),
            *words,
        ),
        inputs=files,
        outputs=(output,),
        moldable=True,
    )


def _transform_input(role: str, source: Source) -> Input:
    """A transform by the name that tells ANTs its format: a displacement field, or ANTs' own."""
    return Input(f"{role}.nii.gz" if str(source).endswith(".nii.gz") else f"{role}.h5", source)


def apply_to_points(place: Place, *, points: Source, inverse: Source) -> Step:
    """Carry model points (CSV, LPS, mm) to the scan.

    Points map the opposite way to images: the transform that brings scan images to the model brings model points to
    the scan.
    """
    files = (Input("points.csv", points), _transform_input("inverse", inverse))
    return Step(
        place=place,
        kind="tag_transform",
        program="antsApplyTransformsToPoints",
        arguments=(
            *("--dimensionality", "3", "--precision", "1"),
            *("--input", files[0].word, "--output", "points.csv", "--transform", files[1].word),
        ),
        inputs=files,
        outputs=("points.csv",),
    )
