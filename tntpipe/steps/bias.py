"""The N4 command."""

from __future__ import annotations

from tntpipe.steps.step import Input, Place, Source, Step

N4_INPUT_MM = 4.0
"""The voxels that N4 is given: it takes 120 bytes for each, and evaluates its field on them."""
N4_GRID_MM = 8.0
"""The voxels that it fits on. A field whose finest splines are 25 mm apart needs no finer ones; only the first, coarse
correction depends on it, since the segmentation takes off the rest."""
N4_SPLINE_DISTANCE_MM = "[200]"
"""As in ``antsBrainExtraction.sh`` (ANTs 2.5); each of the levels halves it."""

N4_CONVERGENCE = "[50x50x50x50,0.0000001]"
"""Iterations and threshold of ``antsBrainExtraction.sh``."""
N4_DEBUG = "[1,0]"

FIELD = "field.nii.gz"


def bias_field(place: Place, *, image: Source, mask: Source, kind: str, debug: bool = False) -> Step:
    """N4 inside a mask (Tustison et al. 2010, IEEE TMI 29:1310): the field of an image of ``N4_INPUT_MM``.

    With one thread: with several it adds up its splines in another order, and gives another field.
    """
    file, masking = Input("T1w.nii.gz", image), Input("mask.nii.gz", mask)
    return Step(
        place=place,
        kind=kind,
        variant="debug" if debug else "",
        program="N4BiasFieldCorrection",
        arguments=(
            *("--image-dimensionality", "3", "--verbose", "1", "--input-image", file.word),
            *("--mask-image", masking.word),
            *("--shrink-factor", str(max(1, round(N4_GRID_MM / max(place.voxel_mm, N4_INPUT_MM))))),
            *("--convergence", N4_DEBUG if debug else N4_CONVERGENCE, "--bspline-fitting", N4_SPLINE_DISTANCE_MM),
            *("--output", f"[corrected.nii.gz,{FIELD}]"),
        ),
        inputs=(file, masking),
        outputs=(FIELD,),
    )
