"""A smooth field over a box of voxels: few low frequencies, the higher the more they cost.

It is the logarithm of what lies on the intensities. Knows neither tissue nor scan: which way the field should go at
some voxels, and how much that is worth, is given.

References
----------
Ashburner J, Friston KJ (2005), NeuroImage 26:839 (cosines with a bending energy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.imaging.volumes import bounding_box

SPACING_MM = 30.0
"""Half a wavelength of the fastest cosine; SAMSEG's is 50 mm (Puonti 2016), for fields of fewer coils."""

STIFFNESS = 1e-4
"""Weight of the bending energy beside the data's, per (cycle in 2 × 100 mm)⁴.

One acquisition stored without and with the correction for its 64 coils, both in one registration: Dice of its white
matter 0.955 with 40 mm and 1e-3, 0.959 with 40 mm and 1e-4, 0.961 with 40 mm and 1e-5, 0.967 with 30 mm and 1e-4."""

MARGIN_MM = 15.0
"""How far the box of the cosines reaches beyond the mask: they are level at its border, where a coil's field is
steepest. Without the margin, white matter of that acquisition had a Dice of 0.934, with 15 mm 0.955, with 25 mm
0.954."""

LEAST, MOST = 0.2, 5.0
"""The factor is kept between these: far from the voxels that decide it, it may run away."""

Indices = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class CosineBasis:
    """Products of cosines over a box; ``low`` and ``high`` are its first and last voxel along each axis."""

    low: tuple[int, int, int]
    high: tuple[int, int, int]
    orders: tuple[int, int, int]
    voxel_mm: tuple[float, float, float]

    def at(self, indices: Indices) -> NDArray[np.float32]:
        """(n, functions): every function at voxel indices (3, n); beyond the box as at its border."""
        x, y, z = (
            self._line(axis)[np.clip(indices[axis], self.low[axis], self.high[axis]) - self.low[axis]]
            for axis in range(3)
        )
        product = x[:, :, None, None] * y[:, None, :, None] * z[:, None, None, :]
        return np.asarray(product.reshape(len(x), -1))

    def volume(self, coefficients: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float32]:
        """(i, j, k): the sum of all functions on a whole grid."""
        lines = [
            self._line(axis)[np.clip(np.arange(shape[axis]), self.low[axis], self.high[axis]) - self.low[axis]]
            for axis in range(3)
        ]
        cube = coefficients.reshape(self.orders).astype(np.float32)
        return np.asarray(np.einsum("abc,ia,jb,kc->ijk", cube, *lines, optimize=True), dtype=np.float32)

    def bending(self) -> NDArray[np.float64]:
        """(functions,): the bending energy of each."""
        squares = [
            (np.arange(order) * 100 / ((self.high[axis] - self.low[axis] + 1) * self.voxel_mm[axis])) ** 2
            for axis, order in enumerate(self.orders)
        ]
        total = squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]
        return np.asarray(total.ravel() ** 2)

    def _line(self, axis: int) -> NDArray[np.float32]:
        length = self.high[axis] - self.low[axis] + 1
        place = (np.arange(length) + 0.5) / length
        return np.cos(np.pi * place[:, None] * np.arange(self.orders[axis])[None, :]).astype(np.float32)


def cosine_basis(mask: NDArray[np.bool_], voxel_mm: tuple[float, float, float]) -> CosineBasis:
    """The basis over the box of a mask (i, j, k) and `MARGIN_MM` around it."""
    box = bounding_box(mask, [round(MARGIN_MM / size) for size in voxel_mm])
    low, high = ((box[0].start, box[1].start, box[2].start), (box[0].stop - 1, box[1].stop - 1, box[2].stop - 1))
    i, j, k = (
        max(2, round((part.stop - part.start) * size / SPACING_MM) + 1)
        for part, size in zip(box, voxel_mm, strict=True)
    )
    return CosineBasis(low, high, (i, j, k), voxel_mm)


@dataclass(frozen=True, slots=True)
class Curvature:
    """How fast a step of the coefficients must end: ``matrix`` (functions, functions), with the ``cost`` of bending
    (functions,) on its diagonal. Costly to find, and it may be that of an earlier step."""

    matrix: NDArray[np.float64]
    cost: NDArray[np.float64]


def curved(basis: NDArray[np.float32], bending: NDArray[np.float64], curvature: NDArray[np.float32]) -> Curvature:
    """Of a sum over voxels: ``curvature`` (n,) is the negative second derivative of each by the field there."""
    deciding = curvature > 0
    some = basis[deciding]
    matrix = ((some * curvature[deciding, None]).T @ some).astype(np.float64)
    cost = (STIFFNESS * bending + 1e-9) * np.trace(matrix) / len(matrix)
    matrix[np.diag_indices_from(matrix)] += cost
    return Curvature(matrix, cost)


def stepped(
    basis: NDArray[np.float32],
    slope: NDArray[np.float32],
    curvature: Curvature,
    coefficients: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Coefficients after a Newton step towards the greatest sum over voxels, less the bending; ``slope`` (n,) is the
    derivative of each by the field there."""
    uphill = (basis.T @ slope).astype(np.float64) - curvature.cost * coefficients
    return np.asarray(coefficients + np.linalg.solve(curvature.matrix, uphill))
