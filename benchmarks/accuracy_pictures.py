"""A small picture of a scan with its tissues in colour, in three planes, for looking at.

The left of a coronal or axial picture is the left of the head.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray

from benchmarks.accuracy_cases import Case, MissingError
from benchmarks.accuracy_outputs import Outputs
from benchmarks.accuracy_run import Results
from tools.contact_sheet import plane, write_palette_png

COLOURS = {"CSF": "deepskyblue", "GM": "gold", "WM": "tomato"}
ALPHA = 0.35
MARGIN_MM = 20.0
LARGEST_BYTES = 60_000
FINEST_DPI, COARSEST_DPI = 90, 40


def draw(outputs: Outputs, title: str, path: Path) -> None:
    """The middle of the brain; as fine as fits into `LARGEST_BYTES`."""
    image = nib.as_closest_canonical(nib.load(outputs.path("_desc-qform_T1w.nii.gz")))
    names = outputs.labels("tissue").names
    labels_image = nib.as_closest_canonical(nib.load(outputs.path("_seg-tissue_dseg.nii.gz")))
    scan, labels = image.get_fdata(dtype=np.float32), np.asarray(labels_image.dataobj)
    ranks = np.zeros(labels.shape, dtype=np.uint8)
    for rank, name in enumerate(COLOURS, start=1):
        ranks[labels == names[name]] = rank
    for dpi in range(FINEST_DPI, COARSEST_DPI - 1, -10):
        _write(scan, ranks, np.array(image.header.get_zooms()[:3], dtype=float), title, path, dpi)
        if path.stat().st_size <= LARGEST_BYTES:
            return


def _write(
    scan: NDArray[Any], ranks: NDArray[np.uint8], voxel_mm: NDArray[np.float64], title: str, path: Path, dpi: int
) -> None:
    box = [np.flatnonzero(ranks.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    if not all(len(found) for found in box):
        raise MissingError("no voxel has a tissue")
    limits = [(found[0] - MARGIN_MM / mm, found[-1] + MARGIN_MM / mm) for found, mm in zip(box, voxel_mm, strict=True)]
    brightest = float(np.percentile(scan[ranks > 0], 99)) * 1.2
    colours = ListedColormap([(0.0, 0.0, 0.0, 0.0), *COLOURS.values()])
    figure, grid = plt.subplots(1, 3, figsize=(9, 3.2), facecolor="black", dpi=dpi)
    for axis, axes in enumerate(grid):
        across, up = (other for other in range(3) if other != axis)
        index = int(box[axis][0] + (0.42 if axis == 0 else 0.5) * (box[axis][-1] - box[axis][0]))
        axes.imshow(plane(scan, axis, index), cmap="gray", vmin=0, vmax=brightest, origin="lower")
        shown = np.ma.masked_equal(plane(ranks, axis, index), 0)
        axes.imshow(
            shown, cmap=colours, vmin=0, vmax=len(COLOURS), alpha=ALPHA, interpolation="nearest", origin="lower"
        )
        axes.set(xlim=limits[across], ylim=limits[up], xticks=[], yticks=[], facecolor="black")
        axes.set_aspect(voxel_mm[up] / voxel_mm[across])
    figure.suptitle(title, color="white", fontsize=9, y=0.99)
    figure.subplots_adjust(left=0.005, right=0.995, top=0.92, bottom=0.01, wspace=0.02)
    write_palette_png(figure, path)
    plt.close(figure)


def draw_cases(cases: Iterable[Case], results: Results, folder: Path) -> None:
    """``accuracy-<participant>.png`` of each case that has a result."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases:
        name = f"{case.head} {case.condition}".strip()
        try:
            draw(results.outputs(case), name, folder / f"accuracy-{case.participant}.png")
        except MissingError as error:
            print(f"no picture of {name}: {error}")
