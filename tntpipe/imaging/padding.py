"""The constants that somebody put around a picture: air set to 0, a border of -1024, the corners of a rotated grid.

Decides which values are no picture, by looking at the faces of the image, then at those of what is left within. Knows
neither what is dark nor what is bright.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.imaging.volumes import bounding_box

Mask = NDArray[np.bool_]

LEAST_OF_FACES = 0.01
"""Of the voxels of the six faces, those that must have one value, as their four neighbours in the face have. Noise in
few grey levels can come to that too, but only where it is air and as good as constant."""

MOST_OF_FACES = 0.5
"""The same for the brightest value, at which tissue may have been clipped, and for padding within padding."""

BRIGHTEST_SHARE = 0.001
"""Of the voxels: a value that fewer exceed is the brightest."""

MOST_CONSTANTS = 8
"""Frames within each other and constants beside each other that are looked for."""


def find_padding(values: NDArray[Any]) -> tuple[list[float], Mask]:
    """The constants around the picture, and where the picture is: all voxels of another value.

    Parameters
    ----------
    values
        (i, j, k), intensities.

    Returns
    -------
    list of float
        In the order in which they were found, from the outside to the inside.
    ndarray of bool
        (i, j, k).

    Examples
    --------
    >>> values = np.pad(np.arange(1.0, 28).reshape(3, 3, 3), 2)
    >>> constants, picture = find_padding(np.pad(values, 1, constant_values=-1024))
    >>> constants, int(picture.sum())
    ([-1024.0, 0.0], 27)
    """
    constants: list[Any] = []
    picture = np.ones_like(values, dtype=np.bool_)  # in the same order in memory, which is several times as fast
    box = tuple(slice(0, length) for length in values.shape)
    while len(constants) < MOST_CONSTANTS:
        found = [value for value in _constants_of_faces(values[box], first=not constants) if value not in constants]
        if not found:
            break
        constants += found
        for value in found:
            picture &= values != value
        if not picture.any():
            break
        box = bounding_box(picture)
    return [float(value) for value in constants], picture


def faces(values: NDArray[Any]) -> list[NDArray[Any]]:
    """The six outermost planes."""
    return [np.moveaxis(values, axis, 0)[end] for axis in range(3) for end in (0, -1)]


def reaching_faces(mask: Mask) -> Mask:
    """The pieces of a mask that reach the edge of the image."""
    from scipy import ndimage

    pieces, n_pieces = ndimage.label(mask)
    reaches = np.zeros(n_pieces + 1, dtype=np.bool_)
    for face in faces(pieces):
        reaches[face] = True
    reaches[0] = False
    return np.asarray(reaches[pieces])


def _constants_of_faces(values: NDArray[Any], first: bool) -> list[Any]:
    planes = faces(values)
    n_voxels = sum(plane.size for plane in planes)
    found, counts = np.unique(np.concatenate([plane[_like_neighbours(plane)] for plane in planes]), return_counts=True)
    return [
        value
        for value, count in zip(found, counts, strict=True)
        if count >= MOST_OF_FACES * n_voxels
        or (first and count >= LEAST_OF_FACES * n_voxels and (values > value).mean() >= BRIGHTEST_SHARE)
    ]


def _like_neighbours(plane: NDArray[Any]) -> Mask:
    """Where a plane has the same value as up to four neighbours, those that there are."""
    alike = np.ones(plane.shape, dtype=np.bool_)
    across = plane[1:] == plane[:-1]
    along = plane[:, 1:] == plane[:, :-1]
    alike[1:] &= across
    alike[:-1] &= across
    alike[:, 1:] &= along
    alike[:, :-1] &= along
    return alike
