"""Label maps as integers: cast from the floats that resampling writes, and two maps combined into one.

Decides numbers and names of combined labels; knows no anatomy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError
from tntpipe.imaging.tables import LARGEST_INDEX, Label, read_labels, write_labels
from tntpipe.imaging.volumes import label_voxels, like, load, require_same_grid, save

N_NAMED = 10
"""So many labels that a table lacks are named."""

Labels = NDArray[np.integer[Any]]


def combine(tissue: Labels, lobes: Labels, n_tissues: int) -> Labels:
    """One label for each pair of tissue and lobe: ``tissue + (lobe − 1) · n_tissues``, 0 where either is 0.

    Parameters
    ----------
    tissue, lobes
        Label maps of one shape, indices from 0.
    n_tissues
        The largest tissue index that the table of tissues knows, whether or not this scan has it: the numbers must mean
        the same in every scan.

    Returns
    -------
    ndarray
        The same shape, in the smallest unsigned type that holds it.

    Examples
    --------
    >>> combine(np.array([1, 3, 0, 2]), np.array([1, 2, 2, 0]), 3)
    array([1, 6, 0, 0], dtype=uint8)
    """
    combined = tissue.astype(np.int64) + (lobes.astype(np.int64) - 1) * n_tissues
    combined[(tissue == 0) | (lobes == 0)] = 0
    return combined.astype(np.min_scalar_type(int(combined.max(initial=0))))


def combine_names(tissues: Sequence[Label], lobes: Sequence[Label]) -> tuple[Label, ...]:
    """The table of combined labels; each keeps the standard index of its tissue.

    Examples
    --------
    >>> lobes = [Label(1, "Frontal-R"), Label(2, "Frontal-L")]
    >>> for label in combine_names([Label(1, "CSF"), Label(2, "GM", 1)], lobes):
    ...     print(label.index, label.name, label.mapping)
    1 CSF+Frontal-R None
    2 GM+Frontal-R 1
    3 CSF+Frontal-L None
    4 GM+Frontal-L 1
    """
    n_tissues = max(tissue.index for tissue in tissues)
    combined = [
        Label(tissue.index + (lobe.index - 1) * n_tissues, f"{tissue.name}+{lobe.name}", tissue.mapping)
        for lobe in lobes
        for tissue in tissues
        if tissue.index and lobe.index
    ]
    return tuple(sorted(combined, key=lambda label: label.index))


def require_known(labels: Labels, table: Sequence[Label], path: str) -> None:
    """Raise ImageError where the map holds a label, other than 0, that its table has not."""
    few = labels.max(initial=0) <= LARGEST_INDEX  # then counting is ten times as fast as sorting
    present = np.flatnonzero(np.bincount(labels.ravel())) if few else np.unique(labels)
    unknown = sorted({int(index) for index in present} - {0, *(label.index for label in table)})
    if unknown:
        more = ", …" if len(unknown) > N_NAMED else ""
        raise ImageError(
            f"{path}: holds label {', '.join(map(str, unknown[:N_NAMED]))}{more}, which its table of labels has not.",
            remedy="Add what is missing to the table.",
        )


def combine_file(
    *, tissue: str, lobes: str, tissue_labels: str, lobe_labels: str, output: str, output_labels: str
) -> None:
    """The command ``combine``."""
    tissue_image, lobe_image = load(tissue), load(lobes)
    require_same_grid(tissue_image, tissue, lobe_image, lobes)
    tissue_table, lobe_table = read_labels(tissue_labels), read_labels(lobe_labels)
    tissue_voxels, lobe_voxels = label_voxels(tissue_image, tissue), label_voxels(lobe_image, lobes)
    require_known(tissue_voxels, tissue_table, tissue)
    require_known(lobe_voxels, lobe_table, lobes)
    n_tissues = max(label.index for label in tissue_table)
    save(like(combine(tissue_voxels, lobe_voxels, n_tissues), tissue_image), output)
    write_labels(output_labels, combine_names(tissue_table, lobe_table))


def to_integer_file(*, input: str, output: str) -> None:
    """The command ``to-integer``."""
    image = load(input)
    save(like(label_voxels(image, input), image), output)
