"""The Atropos command."""

from __future__ import annotations

from tntpipe.steps.step import Input, Place, Source, Step

MRF = "[0.1,1x1x1]"
"""Smoothing of ``antsAtroposN4.sh`` (ANTs 2.5)."""
CONVERGENCE = "[1,0]"
"""That script's [5,0] does no more either: a threshold of 0 ends it as soon as the mean posterior falls, which it does
after the first iteration whatever the start."""

SEGMENTATION = "segmentation.nii.gz"


def posterior(index: int) -> str:
    """The file of one class's probabilities."""
    return f"posterior{index}.nii.gz"


def atropos(place: Place, *, image: Source, mask: Source, initial: Source, n_classes: int) -> Step:
    """Tissue labels by an MRF that starts from ``initial`` labels (Avants et al. 2011, Neuroinformatics 9:381).

    A prior weight of 0 makes the initial labels a start and nothing more.
    """
    files = (Input("T1w.nii.gz", image), Input("mask.nii.gz", mask), Input("initial.nii.gz", initial))
    return Step(
        place=place,
        kind="tissue_segmentation",
        program="Atropos",
        arguments=(
            *("--image-dimensionality", "3", "--verbose", "1", "--use-random-seed", "0"),
            *("--intensity-image", files[0].word, "--mask-image", files[1].word),
            *("--initialization", f"PriorLabelImage[{n_classes},{files[2].word},0]"),
            *("--likelihood-model", "Gaussian", "--mrf", MRF, "--convergence", CONVERGENCE),
            *("--output", f"[{SEGMENTATION},posterior%d.nii.gz]"),
        ),
        inputs=files,
        outputs=(SEGMENTATION, *(posterior(index) for index in range(1, n_classes + 1))),
        moldable=True,
    )
