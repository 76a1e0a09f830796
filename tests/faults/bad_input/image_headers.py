"""Headers that contradict themselves or their file: sizes, types, orientations, scales."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bad_input.breaking import with_fields, with_sform
from bad_input.case import Case, accepted, refused

SCAN = "sub-bad_T1w.nii"
CONVERT = "Convert the scan from DICOM again"
NAN, INF = math.nan, math.inf
NX, NY, NZ = 45, 54, 45
"""The head's grid."""


def cases() -> Iterator[Case]:
    yield from _sizes()
    yield from _offsets()
    yield from _types()
    yield from _qforms()
    yield from _sforms()
    yield from _conflicts()
    yield from _scales()


def _dim(*lengths: int) -> tuple[int, ...]:
    return (*lengths, *(1,) * (8 - len(lengths)))


def _sizes() -> Iterator[Case]:
    size = "its header gives it the size"
    early, more = "ends early", "more voxels than its header promises"
    yield refused("a length of 0", with_fields(dim=_dim(3, NX, NY, 0)), SCAN, size, CONVERT)
    yield refused("a negative length", with_fields(dim=_dim(3, NX, -NY, NZ)), SCAN, size, CONVERT)
    yield refused("all lengths 0", with_fields(dim=(0,) * 8), SCAN, size, CONVERT)
    yield refused("8 axes", with_fields(dim=(8, NX, NY, NZ, 1, 1, 1, 1)), SCAN, size, CONVERT)
    yield refused("-1 axes", with_fields(dim=_dim(-1, NX, NY, NZ)), SCAN, size, CONVERT)
    yield refused("huge lengths", with_fields(dim=_dim(3, 32767, 32767, 32767)), SCAN, early, CONVERT)
    yield refused("huge lengths, .gz", with_fields(".nii.gz", dim=_dim(3, 32767, 32767, 32767)), SCAN, early, CONVERT)
    yield refused("one slice more than there is", with_fields(dim=_dim(3, NX, NY, NZ + 1)), SCAN, early, CONVERT)
    yield refused("one slice more, .gz", with_fields(".nii.gz", dim=_dim(3, NX, NY, NZ + 1)), SCAN, early, CONVERT)
    yield refused("half the slices", with_fields(dim=_dim(3, NX, NY, 22)), SCAN, more, CONVERT)
    yield refused("half the slices, .gz", with_fields(".nii.gz", dim=_dim(3, NX, NY, 22)), SCAN, more, CONVERT)
    yield refused(
        "several volumes", with_fields(dim=_dim(4, NX, NY, 15, 3)), SCAN, "several volumes", "pick or average"
    )
    yield refused("a vector a voxel", with_fields(dim=_dim(5, NX, NY, 15, 1, 3)), SCAN, "several volumes", "pick or")
    yield refused("one slice", with_fields(dim=_dim(2, NX * NY, NZ)), SCAN, "a single slice", "three dimensions")
    yield refused("one slice in 3-D", with_fields(dim=_dim(3, NX * NY, NZ, 1)), SCAN, "a single slice", "three dim")
    yield refused("few slices", with_fields(dim=_dim(3, NX * 3, NY, 15)), SCAN, "fewer than 16", "A whole head")
    yield accepted("a fourth axis of 1", with_fields(dim=_dim(4, NX, NY, NZ, 1)), "it is one volume all the same")


def _offsets() -> Iterator[Case]:
    offset = "its header says that the voxels begin at byte"
    for value in (NAN, INF, -INF, -8.0, 100.0, 352.5):
        yield refused(f"voxels at {value}", with_fields(vox_offset=value), SCAN, offset, CONVERT)
    yield refused("voxels at NaN, .gz", with_fields(".nii.gz", vox_offset=NAN), SCAN, offset, CONVERT)
    yield refused("voxels at 3 GB", with_fields(vox_offset=3e9), SCAN, "ends early", CONVERT)
    yield refused("voxels at the end", with_fields(vox_offset=200_000.0), SCAN, "ends early", CONVERT)
    yield accepted("voxels at 0", with_fields(vox_offset=0.0), "readers take 0 for right after the header")


def _types() -> Iterator[Case]:
    kind, grey = "its voxels are", "One grey value per voxel"
    yield refused("RGB", with_fields(datatype=128, bitpix=24), SCAN, f"{kind} colours", grey)
    yield refused("RGBA", with_fields(datatype=2304, bitpix=32), SCAN, f"{kind} colours", grey)
    yield refused("complex", with_fields(datatype=32, bitpix=64), SCAN, f"{kind} complex numbers", grey)
    yield refused("bits", with_fields(datatype=1, bitpix=1), SCAN, f"{kind} colours or bits", grey)
    yield refused("no type", with_fields(datatype=0), SCAN, f"{kind} colours or bits", grey)
    yield refused("unknown type", with_fields(datatype=-7), SCAN, "NIfTI type -7", grey)
    yield refused("a wider type than is stored", with_fields(datatype=16, bitpix=32), SCAN, "ends early", CONVERT)
    yield refused("a narrower type than is stored", with_fields(datatype=2, bitpix=8), SCAN, "more voxels", CONVERT)
    yield accepted("bits a voxel wrong", with_fields(bitpix=99), "every reader goes by the type")
    yield refused("lengths in metres", with_fields(xyzt_units=1), SCAN, "lengths in metres", "in mm")
    yield refused("lengths in micrometres", with_fields(xyzt_units=3), SCAN, "lengths in micrometres", "in mm")
    yield accepted("lengths without a unit", with_fields(xyzt_units=0), "mm go without saying in many converters")


def _qforms() -> Iterator[Case]:
    finite, volume, repair = "no finite number", "its qform", "or repair its header"
    yield refused("offset NaN", with_fields(qoffset_x=NAN), SCAN, finite, repair)
    yield refused("offset infinite", with_fields(qoffset_z=INF), SCAN, finite, repair)
    yield refused("offset of a light year", with_fields(qoffset_y=9e18), SCAN, "from the origin", repair)
    yield refused("rotation NaN", with_fields(quatern_c=NAN), SCAN, volume, repair)
    yield refused("rotation too long", with_fields(quatern_b=2.0), SCAN, "its qform is invalid", repair)
    for value in (NAN, INF, 0.0, -4.0):
        yield refused(f"voxels of {value} mm", with_fields(pixdim=(1, 4, value, 4, 0, 0, 0, 0)), SCAN, "", repair)
    yield refused("voxels of 1e-30 mm", with_fields(pixdim=(1, 4, 1e-30, 4, 0, 0, 0, 0)), SCAN, "4×1e-30×4", "units")
    yield refused(
        "voxels of 0.1 mm", with_fields(pixdim=(1, 0.1, 0.1, 0.1, 0, 0, 0, 0)), SCAN, "0.1×0.1×0.1 mm", "units"
    )
    yield refused("voxels of 10 mm", with_fields(pixdim=(1, 10, 10, 10, 0, 0, 0, 0)), SCAN, "10×10×10 mm", "units")
    yield refused("slices of 10 mm", with_fields(pixdim=(1, 1, 1, 10, 0, 0, 0, 0)), SCAN, "1×1×10 mm", "spacing")
    yield refused(
        "a head of 3 cm", with_fields(pixdim=(1, 0.7, 0.7, 0.7, 0, 0, 0, 0)), SCAN, "31×38×31 mm", "whole head"
    )
    yield refused("no orientation", with_fields(qform_code=0), SCAN, "neither its qform nor its sform", "dcm2niix")
    yield refused("negative codes", with_fields(qform_code=-1, sform_code=-1), SCAN, "neither its qform", "dcm2niix")
    yield refused("an unknown code", with_fields(qform_code=9), SCAN, "its qform_code is 9", "or repair its header")
    yield accepted("code 5", with_fields(qform_code=5), "whose space it is does not matter here")
    yield accepted("qfac 0", with_fields(pixdim=(0, 4, 4, 4, 0, 0, 0, 0)), "the standard reads 0 as 1")


def _sforms() -> Iterator[Case]:
    finite, flat, repair = "no finite number", "gives the voxels no volume", "or repair its header"
    yield refused("sform NaN", with_sform((NAN, 0, 0, 0), (0, 4, 0, 0), (0, 0, 4, 0)), SCAN, finite, repair)
    yield refused("sform infinite", with_sform((4, 0, 0, INF), (0, 4, 0, 0), (0, 0, 4, 0)), SCAN, finite, repair)
    yield refused("sform 0", with_sform((0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)), SCAN, flat, repair)
    yield refused("sform flat", with_sform((4, 0, 0, 0), (0, 4, 0, 0), (0, 0, 0, 0)), SCAN, flat, repair)
    yield refused("sform singular", with_sform((4, 4, 0, 0), (0, 0, 4, 0), (4, 4, 0, 0)), SCAN, flat, repair)
    yield refused("sform sheared", with_sform((4, 1, 0, 0), (0, 4, 0, 0), (0, 0, 4, 0)), SCAN, "shears", "Resample")
    yield refused(
        "sform huge", with_sform((4e30, 0, 0, 0), (0, 4, 0, 0), (0, 0, 4, 0)), SCAN, "mm is plausible", "units"
    )
    yield accepted(
        "sform alone", with_sform((-4, 0, 0, 90), (0, 4, 0, -126), (0, 0, 4, -72)), "the qform is made from it"
    )


def _conflicts() -> Iterator[Case]:
    def both(x: float, y: float, z: float, shift: float = 0.0):  # type: ignore[no-untyped-def]
        rows = {"srow_x": (x, 0, 0, 90 + shift), "srow_y": (0, y, 0, -126), "srow_z": (0, 0, z, -72)}
        qform = {"quatern_b": 0, "quatern_c": 0, "quatern_d": 0, "qoffset_x": 90, "qoffset_y": -126, "qoffset_z": -72}
        return with_fields(sform_code=1, pixdim=(-1, 4, 4, 4, 0, 0, 0, 0), **rows, **qform)

    yield accepted("qform and sform agree", both(4, 4, -4), "they say the same")
    yield accepted("sform shifted", both(4, 4, -4, 30), "the qform counts, and it is said", "30.0 mm apart")
    mirrored = "left and right"
    yield refused("sform mirrored", both(-4, 4, -4), SCAN, mirrored, "Make both agree")
    yield refused("sform of other voxels", both(4, 4, -2), SCAN, "voxels of 4×4×4 mm, its sform", "Make both agree")


def _scales() -> Iterator[Case]:
    yield accepted("slope 0", with_fields(scl_slope=0), "the standard reads 0 as not scaled")
    yield accepted("slope NaN", with_fields(scl_slope=NAN, scl_inter=NAN), "readers take it for not scaled")
    yield accepted("slope 0.001", with_fields(scl_slope=0.001, scl_inter=0), "the contrast is the same")
    yield refused("slope infinite", with_fields(scl_slope=INF), SCAN, "its slope and intercept", CONVERT)
    yield refused("intercept NaN", with_fields(scl_slope=1, scl_inter=NAN), SCAN, "its slope and intercept", CONVERT)
    yield refused(
        "intercept infinite", with_fields(scl_slope=1, scl_inter=INF), SCAN, "its slope and intercept", CONVERT
    )
    yield refused("slope that overflows", with_fields(scl_slope=3e38), SCAN, "too large", CONVERT)
    yield refused("slope that underflows", with_fields(scl_slope=1e-44), SCAN, "the same value", CONVERT)
    yield refused("intercept that swallows", with_fields(scl_slope=1, scl_inter=1e30), SCAN, "the same value", CONVERT)
    yield refused("negative slope", with_fields(scl_slope=-1, scl_inter=0), SCAN, "no voxel is above 0", CONVERT)
