"""The N4 command."""

from __future__ import annotations

from pathlib import PurePath

from tntpipe.steps.step import Input, Place, Step

N4_GRID_MM = 4.0
N4_CONVERGENCE = "[50x50x50x50,0.0000001]"
N4_SPLINE_DISTANCE_MM = "[200]"
"""``antsBrainExtraction.sh`` (ANTs 2.5) on the whole head; its shrink factor of 4, meant for 1 mm, is kept as 4 mm."""


def bias_correction(place: Place, *, image: PurePath, debug: bool = False) -> Step:
    """N4 over the whole head (Tustison et al. 2010, IEEE TMI 29:1310)."""
    file = Input("T1w.nii.gz", image)
    return Step(
        place=place,
        kind="bias_correction",
        variant="debug" if debug else "",
        program="N4BiasFieldCorrection",
        arguments=(
            *("--image-dimensionality", "3", "--verbose", "1", "--input-image", file.word),
            *("--shrink-factor", str(max(1, round(N4_GRID_MM / place.voxel_mm)))),
            *("--convergence", "[1,0]" if debug else N4_CONVERGENCE, "--bspline-fitting", N4_SPLINE_DISTANCE_MM),
            *("--output", "corrected.nii.gz"),
        ),
        inputs=(file,),
        outputs=("corrected.nii.gz",),
        moldable=True,
    )
