"""Reading and writing volumes on the template's grid, and the morphology that several steps share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

MNI_QFORM_CODE = 4
"""NIFTI_XFORM_MNI_152"""

Mask = NDArray[np.bool_]
Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Volume:
    """Voxels and their affine: voxel index to world millimetres, RAS."""

    data: NDArray[Any]
    affine: NDArray[np.float64]


def load(path: Path) -> Volume:
    """Return the scaled intensities as float32."""
    image = nib.load(path)
    return Volume(np.asarray(image.get_fdata(dtype=np.float32)), np.asarray(image.affine))


def save(path: Path, data: NDArray[Any], affine: NDArray[np.float64]) -> None:
    """Write a NIfTI image with a qform only (ANTs reads the qform), coded as MNI152 space."""
    image = nib.Nifti1Image(data, affine)
    image.set_qform(affine, code=MNI_QFORM_CODE)
    image.set_sform(None, code=0)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)


def ball(radius_voxels: float) -> Mask:
    """Return the structuring element of all voxels whose centres lie within the radius."""
    reach = int(radius_voxels)
    offsets = np.mgrid[-reach : reach + 1, -reach : reach + 1, -reach : reach + 1]
    return np.asarray((offsets**2).sum(axis=0) <= radius_voxels**2)


def largest_component(mask: Mask) -> Mask:
    """Return the largest face-connected part of `mask`; nothing of an empty one."""
    components, _ = ndimage.label(mask)
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    return np.asarray(components == sizes.argmax()) & mask


def solid(mask: Mask) -> Mask:
    """Return the largest component with its holes filled, in 3-D and in each slice of the three planes.

    The planes too, since a hole that opens by one voxel (a vessel, the optic canal) is no hole in 3-D.
    """
    filled: Mask = np.asarray(ndimage.binary_fill_holes(largest_component(mask)))
    for axis in range(3):
        for index in range(filled.shape[axis]):
            where = (slice(None),) * axis + (index,)
            filled[where] = ndimage.binary_fill_holes(filled[where])
    return filled


def nearest_label(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return, at every voxel, the nearest non-zero label and its distance in voxels."""
    distance, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    return labels[tuple(nearest)], distance
