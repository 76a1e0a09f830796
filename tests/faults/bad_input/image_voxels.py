"""Voxels that hold no picture of a head, and types of voxels that are rare and good."""

from __future__ import annotations

from collections.abc import Iterator

import nibabel as nib
import numpy as np

from bad_input.breaking import Voxels, with_voxels
from bad_input.case import Case, accepted, refused

SCAN = "sub-bad_T1w.nii.gz"
CONVERT = "Convert the scan"


def cases() -> Iterator[Case]:
    yield refused("all 0", with_voxels(np.zeros_like), SCAN, "every voxel is 0", CONVERT)
    yield refused("all 7", with_voxels(lambda v: np.full_like(v, 7)), SCAN, "the same value, 7", CONVERT)
    yield refused("all NaN", with_voxels(lambda v: np.full(v.shape, np.nan, np.float32)), SCAN, "100 %", CONVERT)
    yield refused("all infinite", with_voxels(lambda v: np.full(v.shape, np.inf)), SCAN, "100 %", CONVERT)
    yield refused("a tenth NaN", with_voxels(lambda v: _spoilt(v, 10)), SCAN, "10 % of its voxels", CONVERT)
    yield refused("all negative", with_voxels(lambda v: -v - 1), SCAN, "no voxel is above 0", CONVERT)
    yield refused(
        "a mask", with_voxels(lambda v: (v > v.max() // 4).astype(np.uint8)), SCAN, "2 different values", "the T1w"
    )
    yield refused(
        "a label map",
        with_voxels(lambda v: (v // (v.max() // 20)).astype(np.uint8)),
        SCAN,
        "different values",
        "the T1w",
    )
    yield refused("one bright voxel", with_voxels(_one_bright), SCAN, "2 different values", "the T1w")
    yield refused("huge floats", with_voxels(lambda v: v * (1e39 / v.max())), SCAN, "too large", CONVERT)
    yield refused("0.1 mm", with_voxels(np.copy, voxel_mm=0.1), SCAN, "0.1×0.1×0.1 mm", "units")
    yield refused("10 mm", with_voxels(np.copy, voxel_mm=10), SCAN, "10×10×10 mm", "units")
    yield refused("a slab", with_voxels(lambda v: v[:, :, 20:36]), SCAN, "180×216×64 mm", "whole head")
    yield accepted("isolated NaN", with_voxels(lambda v: _spoilt(v, 1000)), "less than 1 %: they are set to 0")
    for name in ("int8", "uint8", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"):
        yield accepted(name, with_voxels(lambda v, name=name: _as(v, name)), "its values fit a type that ANTs reads")
    yield accepted("big-endian int16", with_voxels(_big, endianness=">"), "the header says so")
    yield accepted("big-endian float", with_voxels(lambda v: _big(v, "f4"), endianness=">"), "the header says so")
    yield accepted("NIfTI-2", with_voxels(np.copy, kind=nib.Nifti2Image), "ANTs reads what is made of it")
    yield accepted("huge integers", with_voxels(lambda v: v.astype(np.int64) * 2**40), "float64 holds them well enough")


def _spoilt(voxels: Voxels, every: int) -> Voxels:
    values = voxels.astype(np.float32)
    values.flat[::every] = np.nan
    return values


def _one_bright(voxels: Voxels) -> Voxels:
    values = np.zeros_like(voxels)
    values[20, 20, 20] = 1000
    return values


def _as(voxels: Voxels, name: str) -> Voxels:
    largest = np.iinfo(name).max if name[-1] == "8" else voxels.max()
    return (voxels * (min(int(largest), int(voxels.max())) / voxels.max())).astype(name)


def _big(voxels: Voxels, code: str = "i2") -> Voxels:
    return voxels.astype(f">{code}")
