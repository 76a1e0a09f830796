"""Points of known tissue, spread over the whole brain.

A point lies where the tissue's probability is over 0.9 twice: in the template (posterior) and among the people of the
atlas (prior). The second keeps to places where most heads have that tissue, so that a coarse registration still hits
it; without it a thin sulcus of the template is mostly cortex in another person.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tools.build_model.images import Mask
from tools.build_model.tissue import Structures

TISSUES: tuple[tuple[int, str, int, tuple[str, ...]], ...] = (
    (1, "CSF", 3, ("CSF", "Ventricle", "Inf-Lat-Vent")),
    (2, "GM", 1, ("Cortex", "Caudate", "Putamen", "Accumbens", "Hippocampus", "Amygdala")),
    (3, "WM", 2, ("Cerebral-White-Matter", "Cerebellum-White-Matter")),
)
"""Index, name, the BIDS standard's index, structures. Thalamus, pallidum, brain stem lie between GM and WM: no tags."""

POINTS_PER_TISSUE = 1000
PROBABILITY = 0.9
DEPTH_VOXELS = 3
"""So far inside the brain mask: its rim holds meninges, and a scan's own mask may cut it off."""

SEED = 1
RADII_MM = (12, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)


def spaced(candidates: NDArray[np.intp], shape: tuple[int, ...], radius: int) -> NDArray[np.intp]:
    """Return the candidates, taken in order, that lie farther than `radius` voxels from every one taken before."""
    offsets = np.mgrid[-radius : radius + 1, -radius : radius + 1, -radius : radius + 1].reshape(3, -1).T
    offsets = offsets[(offsets**2).sum(axis=1) <= radius**2] + radius
    blocked = np.zeros([size + 2 * radius for size in shape], dtype=bool)
    taken = []
    for voxel in candidates:
        if not blocked[tuple(voxel + radius)]:
            taken.append(voxel)
            blocked[tuple((voxel + offsets).T)] = True
    return np.array(taken)


def spread(mask: Mask, count: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """Return `count` random voxels of `mask` at the largest spacing of ``RADII_MM`` that yields so many."""
    candidates = generator.permutation(np.argwhere(mask))
    for radius in RADII_MM:
        voxels = spaced(candidates, mask.shape, radius)
        if len(voxels) >= count:
            return voxels[:count]
    raise ValueError(f"{len(candidates)} voxels are too few for {count} points")


def tissue_tags(
    structures: Structures, brain: Mask, affine: NDArray[np.float64]
) -> list[tuple[float, float, float, int]]:
    """Return ``(x, y, z, index)`` in world millimetres, RAS, ``DEPTH_VOXELS`` inside the brain mask."""
    generator = np.random.default_rng(SEED)
    interior = ndimage.binary_erosion(brain, iterations=DEPTH_VOXELS)
    tags = []
    for index, _, _, parts in TISSUES:
        sure = (structures.probability(*parts) > PROBABILITY) & (structures.prior_probability(*parts) > PROBABILITY)
        voxels = spread(sure & interior, POINTS_PER_TISSUE, generator)
        world = voxels @ affine[:3, :3].T + affine[:3, 3]
        tags += [(float(x), float(y), float(z), index) for x, y, z in world]
    return tags


def write_tags(path: Path, tags: list[tuple[float, float, float, int]]) -> None:
    rows = "".join(f"{x:g}\t{y:g}\t{z:g}\t{index}\n" for x, y, z, index in tags)
    path.write_text("x\ty\tz\tindex\n" + rows, encoding="utf-8")


def label_rows() -> list[dict[str, str]]:
    """Return the label table: the tags' own indices, and under ``mapping`` those of the BIDS standard."""
    return [{"index": str(index), "name": name, "mapping": str(bids)} for index, name, bids, _ in TISSUES]
