"""The part of a scan that holds the brain: cut out, and brought to a grid that does not depend on the scan's voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.imaging.volumes import (
    bounding_box,
    load,
    real_voxels,
    require_same_grid,
    save,
    stored_voxels,
    voxel_size,
)

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image

SD_OF_FWHM = 1 / np.sqrt(8 * np.log(2))


def brain_box(brain: NDArray[np.bool_], margin_mm: float, voxel_mm: tuple[float, float, float]) -> tuple[slice, ...]:
    """The box of a mask, with a margin."""
    return bounding_box(brain, [round(margin_mm / size) for size in voxel_mm])


def cropped(values: NDArray[Any], image: Nifti1Image, box: tuple[slice, ...]) -> Nifti1Image:
    """Voxels of a box, placed where they are in the whole image."""
    affine = np.asarray(image.affine).copy()
    affine[:3, 3] += affine[:3, :3] @ np.array([part.start for part in box])
    return _placed(np.ascontiguousarray(values[box]), image, affine)


def resampled(image: Nifti1Image, grid_mm: float) -> Nifti1Image:
    """An image on isotropic voxels of ``grid_mm``, along its own axes; beyond its border it is 0.

    Finer voxels are first blurred to about the resolution of the new ones: each axis by the Gaussian whose width at
    half height, with that of a voxel, makes that of a new voxel.
    """
    from scipy import ndimage

    values, sizes = np.asarray(image.dataobj, dtype=np.float32), np.asarray(voxel_size(image))
    steps = grid_mm / sizes
    blurred = ndimage.gaussian_filter(
        values, np.sqrt(np.maximum(steps**2 - 1, 0)) * SD_OF_FWHM, mode="constant", truncate=3.0
    )
    shape = np.ceil(np.array(values.shape) / steps).astype(int)
    first = (np.array(values.shape) - 1 - (shape - 1) * steps) / 2
    found = ndimage.affine_transform(
        blurred, np.diag(steps), offset=first, output_shape=tuple(shape), order=1, output=np.float32
    )
    affine = np.asarray(image.affine).copy()
    affine[:3, 3] += affine[:3, :3] @ first
    affine[:3, :3] *= steps
    return _placed(found, image, affine)


def crop_brain_file(*, image: str, mask: str, output: str, margin: float, clip_percent: float, grid_mm: float) -> None:
    """The command ``crop-brain``: the brain in its box, 0 around it, its brightest voxels clipped.

    With a ``grid_mm`` above 0 it is resampled to isotropic voxels of that size.
    """
    scan, masking = load(image), load(mask)
    require_same_grid(scan, image, masking, mask)
    inside = stored_voxels(masking, mask) > 0
    values = real_voxels(scan, image)
    brightest = np.float32(np.percentile(values[inside], 100 - clip_percent))
    brain = np.where(inside, np.clip(values, 0, brightest), np.float32(0))
    cut = cropped(brain, scan, brain_box(inside, margin, voxel_size(scan)))
    save(resampled(cut, grid_mm) if grid_mm else cut, output)


def _placed(values: NDArray[Any], image: Nifti1Image, affine: NDArray[np.floating[Any]]) -> Nifti1Image:
    import nibabel

    header = image.header.copy()
    header.set_data_dtype(values.dtype)
    header.set_slope_inter(1, 0)
    header.set_qform(affine, code=int(header["qform_code"]) or 1)
    header.set_sform(None, code=0)
    return nibabel.nifti1.Nifti1Image(values, affine, header)
