"""antsApplyTransforms and antsApplyTransformsToPoints commands.

A chain of transforms is given in the order in which a point of the reference goes through them, which is that of
ANTs' ``-t`` options.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tntpipe.steps.step import Input, Place, Source, Step

PROBABILITY, MASK, LABELS = "Linear", "NearestNeighbor", "GenericLabel[Linear]"
"""Interpolations, by what the image holds."""

FIELD, AFFINE = ".nii.gz", ".mat"
"""Endings of transforms, by which ANTs knows their format: displacement fields, and its own affine files. Neither
holds a time, as ANTs' composite transforms (HDF5) do, so that the same transform has the same bytes."""


@dataclass(frozen=True, slots=True)
class Link:
    """One transform of a chain; an affine one may be ``inverted``."""

    source: Source
    inverted: bool = False

    def input(self, role: str) -> Input:
        """The file as a step reads it, with the ending of its format."""
        return Input(f"{role}{AFFINE if str(self.source).endswith(AFFINE) else FIELD}", self.source)

    def word(self, item: Input) -> str:
        """How ``--transform`` names it."""
        return f"[{item.word},1]" if self.inverted else item.word


Chain = Sequence[Link]


def apply_to_image(
    place: Place,
    kind: str,
    *,
    image: Source,
    reference: Source,
    transforms: Chain,
    interpolation: str,
    output: str,
) -> Step:
    """Carry a model image to the grid of ``reference``, whose points the chain carries to the model."""
    data_type = {PROBABILITY: "float", MASK: "uchar", LABELS: "int"}[interpolation]
    words = ("--interpolation", interpolation, "--output-data-type", data_type, "--output", output)
    return _applied(place, kind, image, reference, transforms, words, output)


DISPLACEMENT = "displacement.nii.gz"


def displacement_field(place: Place, kind: str, *, image: Source, reference: Source, transforms: Chain) -> Step:
    """The vector (mm, LPS, float32) from each voxel of ``reference`` to its place in the space of ``image``.

    What is written is a transform itself: ANTs applies it like the ones that it is made of.
    """
    words = ("--float", "1", "--output", f"[{DISPLACEMENT},1]")
    return _applied(place, kind, image, reference, transforms, words, DISPLACEMENT)


def _applied(
    place: Place,
    kind: str,
    image: Source,
    reference: Source,
    transforms: Chain,
    words: tuple[str, ...],
    output: str,
) -> Step:
    files = (Input("image.nii.gz", image), Input("reference.nii.gz", reference))
    chain = [(link, link.input(f"transform{n}")) for n, link in enumerate(transforms)]
    return Step(
        place=place,
        kind=kind,
        program="antsApplyTransforms",
        arguments=(
            *("--dimensionality", "3", "--verbose", "1", "--input", files[0].word),
            *("--reference-image", files[1].word),
            *(word for link, item in chain for word in ("--transform", link.word(item))),
            *words,
        ),
        inputs=(*files, *(item for _, item in chain)),
        outputs=(output,),
        moldable=True,
    )


def apply_to_points(place: Place, *, points: Source, inverse: Link) -> Step:
    """Carry model points (CSV, LPS, mm) to the scan.

    Points map the opposite way to images: the transform that brings scan images to the model brings model points to
    the scan.
    """
    file, transform = Input("points.csv", points), inverse.input("inverse")
    return Step(
        place=place,
        kind="tag_transform",
        program="antsApplyTransformsToPoints",
        arguments=(
            *("--dimensionality", "3", "--precision", "1"),
            *("--input", file.word, "--output", "points.csv", "--transform", inverse.word(transform)),
        ),
        inputs=(file, transform),
        outputs=("points.csv",),
    )
