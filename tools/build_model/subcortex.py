"""Subcortical nuclei of the template: the most probable structure, smoothed a little, one connected part each."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from tools.build_model.images import Labels, largest_component
from tools.build_model.tissue import Structures

NUCLEI: tuple[tuple[str, str, str], ...] = (
    ("Thalamus", "Thalamus", "Thalamus"),
    ("Caudate", "Caudate", "Striatum"),
    ("Putamen", "Putamen", "Striatum"),
    ("Accumbens", "Accumbens", "Striatum"),
    ("Pallidum", "Pallidum", "Pallidum"),
    ("Hippocampus", "Hippocampus", "Hippocampus"),
    ("Amygdala", "Amygdala", "Amygdala"),
    ("VentralDC", "VentralDC", "VentralDC"),
)
"""Our name, the atlas's name, the group to sum into (the striatum is caudate + putamen + accumbens)."""

SMOOTHING_MM = 0.8
"""Of the probabilities: enough to remove single voxels at the borders of like intensity."""

SIDES = (("R", "Right"), ("L", "Left"))


def label_rows() -> list[dict[str, str]]:
    """Return the label table: right 1-8, left 9-16, brain stem 17."""
    rows: list[dict[str, str]] = []
    for side, _ in SIDES:
        for name, _, group in NUCLEI:
            row = {
                "index": str(len(rows) + 1),
                "name": f"{name}-{side}",
                "hemisphere": side,
                "group": f"{group}-{side}",
            }
            rows.append(row)
    return [*rows, {"index": str(len(rows) + 1), "name": "BrainStem", "hemisphere": "n/a", "group": "BrainStem"}]


def subcortical_labels(structures: Structures) -> Labels:
    """Return the label map whose rows `label_rows` lists.

    A voxel belongs to a nucleus where the nuclei together are more probable than everything else.
    """
    parts = [f"{side}-{name}" for _, side in SIDES for _, name, _ in NUCLEI] + ["Brain-Stem"]
    smooth = np.stack([ndimage.gaussian_filter(structures.probability(part), SMOOTHING_MM) for part in parts])
    best = np.where(smooth.sum(axis=0) > 0.5, smooth.argmax(axis=0) + 1, 0)
    labels = np.zeros(best.shape, dtype=np.uint8)
    for index in range(1, len(parts) + 1):
        labels[largest_component(best == index)] = index
    return labels
