"""A copy of an image whose header holds one orientation, the qform, which is what ANTs reads, and a type that it reads.

Every field of the header other than grid, type and units is left behind, names and comments of the scanner with them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tntpipe.imaging.facts import read_facts
from tntpipe.imaging.given_image import image_of
from tntpipe.imaging.orientation import MAX_SHEAR_ANGLE, one_form
from tntpipe.imaging.volumes import Voxels, save, stored_voxels

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image

NATIVE_TYPES = ("uint8", "int16", "uint16", "int32", "float32", "float64")
"""The types that every ANTs since 2.0 reads; any other is converted to the first that holds its values."""


def clean_header(
    image: Nifti1Image, path: str | Path, max_shear_angle: float = MAX_SHEAR_ANGLE
) -> tuple[Nifti1Image, tuple[str, ...]]:
    """The same voxels with a fresh header that holds a qform only, and notices of what that changed.

    A qform that is there is kept and an sform beside it is dropped; an sform alone becomes the qform. Isolated voxels
    that are no finite number become 0, since one of them spoils a whole bias field. Scaled voxels become float.

    Raises
    ------
    ImageError
        As `one_form` does.
    """
    import nibabel

    header = one_form(image.header, path, max_shear_angle)
    voxels, notices = native_voxels(stored_voxels(image, path))
    header.set_data_dtype(voxels.dtype)
    header.set_data_shape(voxels.shape)
    header.set_xyzt_units("mm")
    return nibabel.nifti1.Nifti1Image(voxels, header.get_qform(), header), notices


def native_voxels(voxels: Voxels) -> tuple[Voxels, tuple[str, ...]]:
    """The voxels in a type that ANTs reads, every one finite, and notices of what that changed."""
    notices: tuple[str, ...] = ()
    if voxels.dtype.kind == "f":
        finite = np.isfinite(voxels)
        if not finite.all():
            notices += (f"{finite.size - int(finite.sum())} voxels that are no finite number become 0",)
            voxels = np.where(finite, voxels, 0)
    if voxels.dtype.name not in NATIVE_TYPES:
        native = _fitting_type(voxels)
        notices += (f"voxels are converted from {voxels.dtype.name} to {native.name}",)
        voxels = voxels.astype(native)
    return voxels, notices


def clean_header_file(*, input: str, output: str, max_shear_angle: float) -> None:
    """The command ``clean-header``."""
    facts = read_facts(input, max_shear_angle)
    cleaned, notices = clean_header(image_of(facts), input, max_shear_angle)
    for notice in (*facts.warnings, *notices):
        print(f"{input}: {notice}")
    save(cleaned, output)


def _fitting_type(voxels: Voxels) -> np.dtype[Any]:
    if voxels.dtype.kind == "f":
        return np.dtype("float64")
    smallest, largest = int(voxels.min()), int(voxels.max())
    for name in NATIVE_TYPES[:4]:
        limits = np.iinfo(name)
        if limits.min <= smallest and largest <= limits.max:
            return np.dtype(name)
    return np.dtype("float64")
