"""Tissue classes as their samples describe them, and the class that an intensity fits best."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import TableError
from tntpipe.imaging.intensity import MAD_TO_SD
from tntpipe.imaging.tables import MIN_TAGS

SMALLEST_SD = 0.01
"""Of the distance between the outermost medians: a class whose samples are all alike still has some width."""


@dataclass(frozen=True, slots=True)
class TissueClass:
    """One class as its samples describe it: a Gaussian by median and scaled median absolute deviation."""

    index: int
    n_samples: int
    median: float
    sd: float


def describe_classes(samples: Mapping[int, NDArray[np.floating[Any]]]) -> tuple[TissueClass, ...]:
    """The classes in the order of their medians, described robustly: some samples lie in a wrong tissue.

    Raises
    ------
    TableError
        Fewer than two classes, fewer than `MIN_TAGS` samples of one, or two with the same median.

    Examples
    --------
    >>> dark, bright = np.arange(21.0), np.arange(100.0, 121.0)
    >>> [(c.index, c.median, round(c.sd, 3)) for c in describe_classes({2: bright, 1: dark})]
    [(1, 10.0, 7.413), (2, 110.0, 7.413)]
    """
    if len(samples) < 2:
        raise TableError(f"Samples of {len(samples)} tissue classes were found, where at least two are needed.")
    for index, values in sorted(samples.items()):
        if values.size < MIN_TAGS:
            raise TableError(
                f"Tissue class {index} has {values.size} samples inside the brain, at least {MIN_TAGS} are needed.",
                remedy="Look at the registration and the brain mask: the tags lie outside the brain of this scan.",
            )
    medians = {index: float(np.median(values)) for index, values in samples.items()}
    order = sorted(samples, key=lambda index: medians[index])
    for low, high in itertools.pairwise(order):
        if not medians[low] < medians[high]:
            raise TableError(
                f"Tissue classes {low} and {high} have the same median intensity, {medians[low]:g}.",
                remedy="Look at the registration: the tags do not lie in the tissues that they name.",
            )
    floor = SMALLEST_SD * (medians[order[-1]] - medians[order[0]])
    return tuple(
        TissueClass(
            index=index,
            n_samples=samples[index].size,
            median=medians[index],
            sd=max(MAD_TO_SD * float(np.median(np.abs(samples[index] - medians[index]))), floor),
        )
        for index in order
    )


def classify(values: NDArray[np.floating[Any]], classes: Sequence[TissueClass]) -> NDArray[np.uint8]:
    """The class of each intensity: the likelier of the two whose medians enclose it, with equal priors.

    An intensity beyond the outermost medians has the outermost class, and a wide class never reaches past a neighbour's
    median. So the classes are intervals in the order of their medians, whatever their widths.

    Parameters
    ----------
    values
        (n,), intensities.
    classes
        In the order of their medians, as `describe_classes` gives them.

    Returns
    -------
    ndarray
        (n,), class indices.

    Examples
    --------
    >>> dark, bright = TissueClass(1, 20, 0.0, 1.0), TissueClass(3, 20, 10.0, 1.0)
    >>> classify(np.array([-50.0, 4.9, 5.1, 50.0]), (dark, bright))
    array([1, 1, 3, 3], dtype=uint8)
    """
    medians = np.array([tissue.median for tissue in classes], dtype=np.float32)
    sds = np.array([tissue.sd for tissue in classes], dtype=np.float32)
    values = values.astype(np.float32)
    low = np.clip(np.searchsorted(medians, values, side="right") - 1, 0, len(classes) - 2)

    def log_likelihood(position: NDArray[np.intp]) -> NDArray[np.floating[Any]]:
        z = (values - medians[position]) / sds[position]
        return np.asarray(-np.log(sds[position]) - z * z / 2)

    upper = (log_likelihood(low + 1) > log_likelihood(low)) & (values > medians[0]) | (values >= medians[-1])
    indices = np.array([tissue.index for tissue in classes], dtype=np.uint8)
    return np.asarray(indices[low + upper])
