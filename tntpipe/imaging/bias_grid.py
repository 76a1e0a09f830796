"""Bias correction on a grid of its own: a coarse copy of a scan for N4, and the field that it finds taken off the scan.

N4 holds some 120 bytes for each voxel of its input, whatever its shrink factor, and the field that it looks for changes
over centimetres. Voxels are left out and not averaged, as N4 itself does: averages blur the histogram that it sharpens
(measured on two heads under a surface coil: the residual field has a standard deviation of 0.11 in the logarithm either
way, and of 0.12 to 0.14 from blurred voxels).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError
from tntpipe.imaging.volumes import Affine, like, load, real_voxels, require_same_grid, save, stored_voxels, voxel_size

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image


def bias_grid_file(*, image: str, mask: str, output_image: str, output_mask: str, grid_mm: float) -> None:
    """The command ``bias-grid``: every n-th voxel of a scan and its mask, about ``grid_mm`` apart along each axis."""
    scan, masking = load(image), load(mask)
    require_same_grid(scan, image, masking, mask)
    factors = [max(1, round(grid_mm / size)) for size in voxel_size(scan)]
    save(_every(factors, real_voxels(scan, image), scan), output_image)
    coarse_mask = _every(factors, (stored_voxels(masking, mask) > 0).astype(np.uint8), scan)
    if not np.any(coarse_mask.dataobj):  # N4 would end without an error
        raise ImageError(
            f"{mask}: the mask is empty, or has no voxel on a grid of {grid_mm:g} mm, where N4 looks for a field.",
            remedy="Look at the mask on the scan.",
        )
    save(coarse_mask, output_mask)


def _every(factors: list[int], values: NDArray[Any], image: Nifti1Image) -> Nifti1Image:
    """Every n-th voxel, from the middle of the first n on, where it lies in the scan."""
    import nibabel

    firsts = [factor // 2 if length > factor // 2 else 0 for factor, length in zip(factors, values.shape, strict=True)]
    affine = np.asarray(image.affine).copy()
    affine[:3, 3] += affine[:3, :3] @ np.array(firsts)
    affine[:3, :3] *= factors
    chosen = values[tuple(slice(first, None, factor) for first, factor in zip(firsts, factors, strict=True))]
    coarse = nibabel.nifti1.Nifti1Image(np.ascontiguousarray(chosen), None)
    coarse.header.set_xyzt_units("mm")
    coarse.set_qform(affine, code=int(image.header["qform_code"]) or 1)
    return coarse


def without_field_file(*, image: str, field: str, output: str) -> None:
    """The command ``divide-by-field``: a scan without a multiplicative field that was found on another grid."""
    scan, found = load(image), load(field)
    factors = real_voxels(found, field)
    if not (np.isfinite(factors).all() and (factors > 0).all()):
        raise ImageError(
            f"{field}: the field is not positive everywhere.", remedy="Look at the log of the step that found it."
        )
    places = np.linalg.inv(found.affine) @ scan.affine
    logs = enlarged(np.log(factors), places, scan.shape[:3])
    save(like(real_voxels(scan, image) / np.exp(logs), scan), output)


def enlarged(values: NDArray[np.float32], places: Affine, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A smooth image on a finer grid, by linear interpolation; beyond its border it is as on the border.

    Parameters
    ----------
    values
        (i, j, k), on the coarse grid.
    places
        (4, 4), from indices of the fine grid to indices of the coarse one.
    shape
        Of the fine grid.

    Returns
    -------
    ndarray of float32
        Of that shape.

    Examples
    --------
    >>> ramp = np.arange(3, dtype=np.float32).reshape(3, 1, 1)
    >>> enlarged(ramp, np.diag([0.5, 1, 1, 1]), (6, 1, 1)).ravel()
    array([0. , 0.5, 1. , 1.5, 2. , 2. ], dtype=float32)
    """
    from scipy import ndimage

    return np.asarray(
        ndimage.affine_transform(
            values, places[:3, :3], offset=places[:3, 3], output_shape=shape, order=1, mode="nearest", output=np.float32
        )
    )
