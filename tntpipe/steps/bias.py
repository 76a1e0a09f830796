"""The N4 command."""

from __future__ import annotations

from tntpipe.steps.step import Input, Place, Source, Step

N4_GRID_MM = 4.0
N4_SPLINE_DISTANCE_MM = "[200]"
"""As in ``antsBrainExtraction.sh`` (ANTs 2.5); its shrink factor of 4, meant for 1 mm, is kept as a grid of 4 mm."""

N4_CONVERGENCE = {
    "reference": "[50x50x50x50,0.0000001]",
    "quick": "[50x40x30,0.0001]",
    "debug": "[1,0]",
}
"""Iterations and threshold: of ``antsBrainExtraction.sh``; the defaults of 3D Slicer's N4ITK module; one iteration."""


def bias_correction(place: Place, *, image: Source, variant: str) -> Step:
    """N4 over the whole head (Tustison et al. 2010, IEEE TMI 29:1310)."""
    file = Input("T1w.nii.gz", image)
    return Step(
        place=place,
        kind="bias_correction",
        variant=variant,
        program="N4BiasFieldCorrection",
        arguments=(
            *("--image-dimensionality", "3", "--verbose", "1", "--input-image", file.word),
            *("--shrink-factor", str(max(1, round(N4_GRID_MM / place.voxel_mm)))),
            *("--convergence", N4_CONVERGENCE[variant], "--bspline-fitting", N4_SPLINE_DISTANCE_MM),
            *("--output", "corrected.nii.gz"),
        ),
        inputs=(file,),
        outputs=("corrected.nii.gz",),
        moldable=True,
    )
