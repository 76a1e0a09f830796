"""How a 3-D NIfTI image is read, compared with another's grid, and written.

Decides that files of the same content have the same bytes, and that two grids agree or not. Knows nothing of what the
voxels mean, nor which images a scan may be: that is ``check``.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image

GZIP_LEVEL = 1
"""Measured on a 1 mm float32 T1w: level 6 takes five times as long as level 1 to save a tenth of the size."""

GRID_TOLERANCE_VOXELS = 0.05
"""How far two grids may lie apart at their worst corner, in voxels: above the rounding of 32-bit quaternions that are
written and read again, far below a shift that would move a label."""

_LABELS = "Make it again; when labels are resampled, by nearest neighbour."

Affine = NDArray[np.float64]
Voxels = NDArray[Any]


def load(path: str | Path) -> Nifti1Image:
    """Open the image at ``path``, trailing axes of length one removed; its voxels are read when they are asked for.

    Raises
    ------
    ImageError
        There is no such file, it is no NIfTI image, or it has not exactly three axes.
    """
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        image = nibabel.load(path)
    except FileNotFoundError:
        raise ImageError(f"{path}: there is no such file.") from None
    except (ImageFileError, HeaderDataError, OSError, EOFError, zlib.error) as error:
        raise ImageError(f"{path}: cannot be read as a NIfTI image ({error}).") from error
    if not isinstance(image, nibabel.nifti1.Nifti1Image):
        raise ImageError(f"{path}: is not a NIfTI image.")
    shape = spatial_shape(image.shape)
    if shape is None:
        raise ImageError(f"{path}: has shape {image.shape}, where one 3-D volume is needed.")
    return image if image.ndim == 3 else image.slicer[(...,) + (0,) * (image.ndim - 3)]


def spatial_shape(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """The three spatial lengths, or None where there are fewer axes or a further one is longer than 1.

    >>> spatial_shape((91, 109, 91, 1)), spatial_shape((64, 64, 30, 200)), spatial_shape((256, 256))
    ((91, 109, 91), None, None)
    """
    if len(shape) < 3 or any(length != 1 for length in shape[3:]):
        return None
    return (int(shape[0]), int(shape[1]), int(shape[2]))


def real_voxels(image: Nifti1Image, path: str | Path) -> NDArray[np.float32]:
    """The image's values as float32, its slope and intercept applied; ImageError where the file ends too soon."""
    try:
        return np.asarray(image.get_fdata(dtype=np.float32, caching="unchanged"))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ImageError(f"{path}: its voxels cannot be read ({error}).") from error


def stored_voxels(image: Nifti1Image, path: str | Path) -> Voxels:
    """The image's values in the type of the file, or as float where a slope scales them, in native byte order."""
    try:
        voxels = np.asanyarray(image.dataobj)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ImageError(f"{path}: its voxels cannot be read ({error}).") from error
    return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)


def label_voxels(image: Nifti1Image, path: str | Path) -> NDArray[np.integer[Any]]:
    """The image's values as non-negative integers, in the smallest unsigned type; ImageError where some are not."""
    voxels = stored_voxels(image, path)
    largest, smallest = voxels.max(), voxels.min()
    # A NaN among the voxels makes both of these NaN and both comparisons false.
    if not (smallest >= 0 and largest < 2**32):
        raise ImageError(
            f"{path}: holds values from {smallest} to {largest}, where labels are integers from 0.", remedy=_LABELS
        )
    labels = voxels.astype(np.min_scalar_type(int(largest)))
    if voxels.dtype.kind == "f" and not np.array_equal(labels, voxels):
        raise ImageError(f"{path}: holds fractions, where labels are integers.", remedy=_LABELS)
    return labels


def voxel_size(image: Nifti1Image) -> tuple[float, float, float]:
    """The voxel's edges in mm."""
    i, j, k = np.linalg.norm(np.asarray(image.affine)[:3, :3], axis=0)
    return (float(i), float(j), float(k))


def bounding_box(mask: NDArray[np.bool_], margins: Sequence[int] = (0, 0, 0)) -> tuple[slice, ...]:
    """The smallest box that holds a mask with at least one voxel, and so many voxels around it within the image.

    >>> mask = np.zeros((9, 9, 9), dtype=bool)
    >>> mask[2:4, 5, 8] = True
    >>> bounding_box(mask, (1, 1, 1))
    (slice(1, 5, None), slice(4, 7, None), slice(7, 9, None))
    """
    ends = [np.flatnonzero(mask.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
    return tuple(
        slice(max(int(first) - margin, 0), min(int(last) + 1 + margin, length))
        for (first, last), margin, length in zip(ends, margins, mask.shape, strict=True)
    )


def like(voxels: Voxels, image: Nifti1Image) -> Nifti1Image:
    """``voxels`` as an image with the grid and header of ``image``, in their own type and without scaling."""
    import nibabel

    header = image.header.copy()
    header.set_data_dtype(voxels.dtype)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0
    return nibabel.nifti1.Nifti1Image(voxels, image.affine, header)


def save(image: Nifti1Image, path: str | Path) -> None:
    """Write the image; a name in ``.gz`` is compressed without a time stamp or name, so that same image, same bytes."""
    with Path(path).open("wb") as file:
        if str(path).endswith(".gz"):
            with gzip.GzipFile(filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=file, mtime=0) as stream:
                image.to_stream(stream)
        else:
            image.to_stream(file)


def grid_distance(shape: tuple[int, ...], affine: Affine, other_affine: Affine) -> float:
    """The largest distance in mm between the same corner of a grid of ``shape`` placed by either affine.

    >>> grid_distance((11, 11, 11), np.eye(4), np.diag([2.0, 1, 1, 1]))
    10.0
    """
    corners = np.array([(*corner, 1) for corner in itertools.product(*((0, length - 1) for length in shape))])
    return float(np.linalg.norm(corners @ (affine - other_affine).T, axis=1).max())


def grids_agree(shape: tuple[int, ...], affine: Affine, other_shape: tuple[int, ...], other_affine: Affine) -> bool:
    """Whether voxel (i, j, k) is the same place in both grids, within `GRID_TOLERANCE_VOXELS`."""
    voxel_mm = float(np.linalg.norm(affine[:3, :3], axis=0).min())
    distance_mm = grid_distance(shape, affine, other_affine)
    return shape == other_shape and distance_mm <= GRID_TOLERANCE_VOXELS * voxel_mm


def require_same_grid(image: Nifti1Image, path: str | Path, other: Nifti1Image, other_path: str | Path) -> None:
    """Raise ImageError, naming both files, where the two images lie on different grids."""
    if not grids_agree(image.shape, image.affine, other.shape, other.affine):
        raise ImageError(
            f"{path} ({'×'.join(map(str, image.shape))}) and {other_path} ({'×'.join(map(str, other.shape))}) "
            "lie on different grids.",
            remedy="Resample one onto the other's grid first.",
        )
