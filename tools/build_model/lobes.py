"""Ten lobes of the template: four cerebral ones and the cerebellum, right and left, filled through the white matter.

Cortex: the Desikan-Killiany regions, gathered into lobes as FreeSurfer's "CorticalParcellation" page lists them, the
cingulate regions included (rostral and caudal anterior: frontal; posterior and isthmus: parietal). That list gives the
insula no lobe: each of its voxels goes, like white matter, to the nearest lobe of its hemisphere. Hippocampus and
amygdala are temporal.

Left out: thalamus, striatum, pallidum, ventral diencephalon, ventricles, optic chiasm and brain stem. Sulcal CSF up to
5 mm away belongs to the nearest lobe, so that cortex which a registration missed by a little counts.

References: Desikan RS et al. NeuroImage 2006;31:968-980. https://surfer.nmr.mgh.harvard.edu/fswiki/CorticalParcellation
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tools.build_model.images import Labels, Mask, Volume, largest_component, nearest_label
from tools.build_model.tissue import Structures

CEREBRAL_LOBES: dict[str, tuple[str, ...]] = {
    "Frontal": (
        "superiorfrontal", "rostralmiddlefrontal", "caudalmiddlefrontal", "parsopercularis", "parstriangularis",
        "parsorbitalis", "lateralorbitofrontal", "medialorbitofrontal", "precentral", "paracentral", "frontalpole",
        "rostralanteriorcingulate", "caudalanteriorcingulate",
    ),
    "Parietal": (
        "superiorparietal", "inferiorparietal", "supramarginal", "postcentral", "precuneus", "posteriorcingulate",
        "isthmuscingulate",
    ),
    "Temporal": (
        "superiortemporal", "middletemporal", "inferiortemporal", "bankssts", "fusiform", "transversetemporal",
        "entorhinal", "temporalpole", "parahippocampal",
    ),
    "Occipital": ("lateraloccipital", "lingual", "cuneus", "pericalcarine"),
}  # fmt: skip

TEMPORAL = list(CEREBRAL_LOBES).index("Temporal") + 1
FIRST_INDEX = {"R": 1, "L": 5}
CEREBELLUM_INDEX = {"R": 9, "L": 12}
"""With the cerebral lobes at 1-4 and 5-8 the indices are those of the pipeline before this one: 1-9 and 12."""
HEMISPHERES = (("R", "Right"), ("L", "Left"))
LEFT_OUT = (
    "Thalamus", "Caudate", "Putamen", "Accumbens", "Pallidum", "VentralDC", "Ventricle", "Inf-Lat-Vent", "choroid",
    "Brain-Stem", "Optic-Chiasm",
)  # fmt: skip
CSF_REACH_MM = 5
SMOOTHING_MM = 1.5
SMALLEST_SEED_VOXELS = 50


def label_rows() -> list[dict[str, str]]:
    """Return the label table, in the order of the indices."""
    rows = [
        {"index": str(FIRST_INDEX[side] + offset), "name": f"{lobe}-{side}", "hemisphere": side}
        for side, _ in HEMISPHERES
        for offset, lobe in enumerate(CEREBRAL_LOBES)
    ]
    rows += [{"index": str(CEREBELLUM_INDEX[s]), "name": f"Cerebellum-{s}", "hemisphere": s} for s, _ in HEMISPHERES]
    return sorted(rows, key=lambda row: int(row["index"]))


def on_grid(volume: Volume, shape: tuple[int, ...], affine: NDArray[np.float64]) -> NDArray[Any]:
    """Return a volume whose 1 mm grid is a shifted part of the template's, embedded in the template's."""
    start = np.rint(np.linalg.inv(affine) @ volume.affine @ np.array([0.0, 0, 0, 1]))[:3].astype(int)
    embedded = np.zeros(shape, dtype=np.uint8)
    embedded[tuple(slice(low, low + size) for low, size in zip(start, volume.data.shape, strict=True))] = volume.data
    return embedded


def without_specks(mask: Mask) -> Mask:
    """Return `mask` without its connected parts of less than ``SMALLEST_SEED_VOXELS``."""
    components, _ = ndimage.label(mask, np.ones((3, 3, 3)))
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    return np.asarray(sizes[components] >= SMALLEST_SEED_VOXELS)


def lobe_seeds(regions: NDArray[Any], table: Path, side: str) -> Labels:
    """Return the atlas's regions of one hemisphere as lobes 1-4, 0 elsewhere."""
    with table.open(encoding="utf-8") as file:
        index_of = {row["label"]: int(row["id"]) for row in csv.DictReader(file) if row["hemisphere"] == side}
    seeds = np.zeros(regions.shape, dtype=np.uint8)
    for lobe, names in enumerate(CEREBRAL_LOBES.values(), start=1):
        for name in names:
            seeds[without_specks(regions == index_of[name])] = lobe
    return seeds


def smoothed(labels: Labels, inside: Mask, count: int) -> Labels:
    """Return the labels 1..count inside the mask after a Gaussian vote of the neighbours (no specks)."""
    votes = np.stack(
        [ndimage.gaussian_filter((labels == label).astype(np.float32), SMOOTHING_MM) for label in range(1, count + 1)]
    )
    return np.where(inside, votes.argmax(axis=0) + 1, 0).astype(np.uint8)


def connected(labels: Labels, count: int) -> Labels:
    """Return the largest connected part of each label 1..count, 0 elsewhere."""
    kept = np.zeros_like(labels)
    for label in range(1, count + 1):
        kept[largest_component(labels == label)] = label
    return kept


def cerebral_lobes(structures: Structures, seeds: Labels, side: str) -> Labels:
    """Return lobes 1-4 over all cortex, white matter, hippocampus and amygdala of one hemisphere."""
    parts = (f"{side}-Cerebral", f"{side}-Hippocampus", f"{side}-Amygdala")
    hemisphere = largest_component(structures.most_probable(*parts))
    nearest, _ = nearest_label(seeds)
    nearest[structures.most_probable(*parts[1:])] = TEMPORAL
    lobes = smoothed(np.where(hemisphere, nearest, 0).astype(np.uint8), hemisphere, len(CEREBRAL_LOBES))
    return np.where(hemisphere, nearest_label(connected(lobes, len(CEREBRAL_LOBES)))[0], 0).astype(np.uint8)


def lobe_labels(structures: Structures, regions: NDArray[Any], table: Path) -> Labels:
    """Return the ten lobes on the template's grid, `regions` being the Desikan-Killiany label map on that grid."""
    lobes = np.zeros(regions.shape, dtype=np.uint8)
    for side, long_side in HEMISPHERES:
        cerebral = cerebral_lobes(structures, lobe_seeds(regions, table, side), long_side)
        lobes[cerebral > 0] = cerebral[cerebral > 0] + FIRST_INDEX[side] - 1
        lobes[largest_component(structures.most_probable(f"{long_side}-Cerebellum"))] = CEREBELLUM_INDEX[side]
    nearest, distance = nearest_label(lobes)
    reached = structures.inside & (distance <= CSF_REACH_MM) & ~without_specks(structures.most_probable(*LEFT_OUT))
    filled = np.where(reached, nearest, 0).astype(np.uint8)
    return np.where(reached, nearest_label(connected(filled, int(filled.max())))[0], 0).astype(np.uint8)
