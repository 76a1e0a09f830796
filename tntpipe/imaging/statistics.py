"""How large each labelled structure is and how bright.

Decides what a statistics table says; background (label 0) has no line, since its size depends on the field of view.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.imaging.labels import Labels, require_known
from tntpipe.imaging.tables import Cell, Label, read_labels, write_table
from tntpipe.imaging.volumes import Affine, label_voxels, load, real_voxels, require_same_grid

COLUMNS = ("index", "name", "number_voxels", "volume", "mean")

Row = tuple[int, str, int, float, float | None]


def label_statistics(
    labels: Labels, values: NDArray[np.floating[Any]], affine: Affine, table: Sequence[Label]
) -> tuple[Row, ...]:
    """Number of voxels, volume and mean intensity of every label of the table, in its order.

    Parameters
    ----------
    labels, values
        (i, j, k), indices and intensities on the same grid.
    affine
        (4, 4), voxel indices to world mm.
    table
        The labels to report; 0 is left out.

    Returns
    -------
    tuple of (index, name, number of voxels, volume in mm³, mean intensity)
        A label that the map does not hold has 0 voxels and no mean.

    Examples
    --------
    >>> labels, values = np.array([0, 1, 1]), np.array([9.0, 2.0, 4.0])
    >>> label_statistics(labels, values, np.diag([2, 2, 2, 1]), [Label(1, "GM"), Label(2, "WM")])
    ((1, 'GM', 2, 16.0, 3.0), (2, 'WM', 0, 0.0, None))
    """
    # Rounded to what a 32-bit header can know, so that a 2 mm voxel has 8 mm³ and not 7.99999994.
    voxel_mm3 = float(f"{abs(np.linalg.det(affine[:3, :3])):.6g}")
    largest = max(label.index for label in table)
    counts = np.bincount(labels.ravel(), minlength=largest + 1)
    sums = np.bincount(labels.ravel(), weights=values.ravel(), minlength=largest + 1)

    def row(label: Label) -> Row:
        n_voxels = int(counts[label.index])
        mean = float(sums[label.index] / n_voxels) if n_voxels else None
        return (label.index, label.name, n_voxels, n_voxels * voxel_mm3, mean)

    return tuple(row(label) for label in table if label.index)


def statistics_file(*, labels: str, labels_table: str, image: str, output: str) -> None:
    """The command ``statistics``."""
    label_image, scan = load(labels), load(image)
    require_same_grid(label_image, labels, scan, image)
    table = read_labels(labels_table)
    voxels = label_voxels(label_image, labels)
    require_known(voxels, table, labels)
    rows: Sequence[Sequence[Cell]] = label_statistics(voxels, real_voxels(scan, image), label_image.affine, table)
    write_table(output, COLUMNS, rows)
