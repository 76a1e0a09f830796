"""Where each voxel of a scan lies in the model, from the displacement field that ``antsApplyTransforms`` writes.

ANTs stores, for each voxel, the vector in mm from the voxel to its place in the model, in LPS; places here are RAS, as
everywhere else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError
from tntpipe.imaging.volumes import Affine

LPS_TO_RAS = np.array([[-1.0], [-1.0], [1.0]], dtype=np.float32)


def read_displacement(path: str | Path, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(i, j, k, 3): displacements in mm, LPS, on a grid of that shape.

    Raises
    ------
    ImageError
        The file holds no field of vectors on that grid.
    """
    import nibabel

    image = nibabel.nifti1.Nifti1Image.from_filename(str(path))
    if image.shape != (*shape, 1, 3):
        raise ImageError(
            f"{path}: has shape {image.shape}, where a displacement field on the scan's grid has {(*shape, 1, 3)}."
        )
    return np.asarray(image.dataobj, dtype=np.float32)[:, :, :, 0, :]


def model_places(indices: NDArray[np.integer[Any]], affine: Affine, field: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, n): world points of the model (mm, RAS) for voxel indices (3, n) of the scan.

    >>> field = np.zeros((1, 1, 1, 3), dtype=np.float32)
    >>> field[..., :] = [1, 2, 3]
    >>> model_places(np.zeros((3, 1), dtype=int), np.eye(4), field).ravel().tolist()
    [-1.0, -2.0, 3.0]
    """
    world = affine[:3, :3] @ indices + affine[:3, 3:]
    moved = field[indices[0], indices[1], indices[2]].T * LPS_TO_RAS
    return np.asarray(world + moved, dtype=np.float32)
