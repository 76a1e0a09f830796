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

Row = tuple[int | None, str, int, float, float | None]


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


def group_statistics(rows: Sequence[Row], table: Sequence[Label]) -> tuple[Row, ...]:
    """The rows of structures that several labels make up together, by the column ``group`` of their table.

    Returns
    -------
    tuple of (None, group, number of voxels, volume in mm³, mean intensity)
        In the order in which the groups first appear; a group of one label is that label and gets no row.

    Examples
    --------
    >>> parts = [Label(1, "Caudate", group="Striatum"), Label(2, "Putamen", group="Striatum"), Label(3, "Thalamus")]
    >>> rows = [(1, "Caudate", 1, 8.0, 4.0), (2, "Putamen", 3, 24.0, 8.0), (3, "Thalamus", 5, 40.0, 1.0)]
    >>> group_statistics(rows, parts)
    ((None, 'Striatum', 4, 32.0, 7.0),)
    """
    members: dict[str, list[Row]] = {}
    groups = {label.index: label.group for label in table}
    for row in rows:
        group = groups[row[0]] if row[0] is not None else None
        if group is not None:
            members.setdefault(group, []).append(row)

    def together(group: str, parts: Sequence[Row]) -> Row:
        n_voxels = sum(part[2] for part in parts)
        mean = sum(part[2] * part[4] for part in parts if part[4] is not None) / n_voxels if n_voxels else None
        return (None, group, n_voxels, sum(part[3] for part in parts), mean)

    return tuple(together(group, parts) for group, parts in members.items() if len(parts) > 1)


def statistics_file(*, labels: str, labels_table: str, image: str, output: str) -> None:
    """The command ``statistics``."""
    label_image, scan = load(labels), load(image)
    require_same_grid(label_image, labels, scan, image)
    table = read_labels(labels_table)
    voxels = label_voxels(label_image, labels)
    require_known(voxels, table, labels)
    measured = label_statistics(voxels, real_voxels(scan, image), label_image.affine, table)
    rows: Sequence[Sequence[Cell]] = (*measured, *group_statistics(measured, table))
    write_table(output, COLUMNS, rows)
