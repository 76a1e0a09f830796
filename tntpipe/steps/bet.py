"""FSL's bet, for those who have it and want it."""

from __future__ import annotations

from tntpipe.steps.step import Input, Place, Source, Step


def bet(place: Place, *, image: Source, frac: float, vertical_gradient: float) -> Step:
    """Brain mask by BET (Smith 2002, Hum Brain Mapp 17:143)."""
    file = Input("T1w.nii.gz", image)
    return Step(
        place=place,
        kind="brain_mask",
        variant="bet",
        program="bet",
        arguments=(file.word, "brain", "-m", "-n", "-f", f"{frac:g}", "-g", f"{vertical_gradient:g}"),
        inputs=(file,),
        outputs=("brain_mask.nii.gz",),
    )
