"""Draws a brain mask's outline on its scan, six slices in each of the three planes, for looking at.

Run by hand from the repository's root (needs matplotlib); a third image, the true mask, is drawn in green::

    python -m tools.brain_sheet SCAN MASK PICTURE.png [TRUTH] [--title TEXT]

The left of a coronal or axial picture is the left of the head.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from tools.contact_sheet import plane, write_palette_png

SMOKE = (
    "{root}/tntpipe/data/models/MNI152NLin2009cAsym/tpl-MNI152NLin2009cAsym_T1w.nii.gz",
    "{root}/tntpipe/data/models/MNI152NLin2009cAsym/tpl-MNI152NLin2009cAsym_desc-brain_mask.nii.gz",
    "{folder}/sheet.png",
)

SLICES = 6
MARGIN_MM = 25.0
"""How far beyond the mask a picture reaches: scalp and some neck, little air."""


def draw(scan: NDArray[Any], outlines: list[tuple[NDArray[Any], str]], voxel_mm: Any, title: str, path: Path) -> None:
    """Rows are planes, columns slices evenly spaced within the mask."""
    box = [np.flatnonzero(outlines[-1][0].any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    limits = [
        (found[0] - MARGIN_MM / size, found[-1] + MARGIN_MM / size) for found, size in zip(box, voxel_mm, strict=True)
    ]
    brightest = float(np.percentile(scan[outlines[-1][0] > 0], 99.5)) * 1.2
    figure, grid = plt.subplots(3, SLICES, figsize=(12, 6.6), facecolor="black", dpi=90)
    for axis in range(3):
        across, up = (other for other in range(3) if other != axis)
        for axes, index in zip(
            grid[axis], np.linspace(box[axis][0], box[axis][-1], SLICES + 2)[1:-1].round(), strict=True
        ):
            ratio = voxel_mm[up] / voxel_mm[across]
            section = plane(scan, axis, int(index))
            axes.imshow(section, cmap="gray", vmin=0, vmax=brightest, origin="lower", aspect=ratio)
            for mask, colour in outlines:
                if (outline := plane(mask, axis, int(index))).any():
                    axes.contour(outline, levels=[0.5], colors=[colour], linewidths=0.8)
            axes.set(xlim=limits[across], ylim=limits[up], facecolor="black")
            axes.set_aspect(ratio)
            axes.set(xticks=[], yticks=[])
    figure.suptitle(title, color="white", fontsize=10, y=0.995)
    figure.subplots_adjust(left=0.005, right=0.995, top=0.95, bottom=0.005, wspace=0.02, hspace=0.02)
    write_palette_png(figure, path)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("scan", "mask", "picture"):
        parser.add_argument(name, type=Path)
    parser.add_argument("truth", type=Path, nargs="?")
    parser.add_argument("--title", default="")
    options = parser.parse_args()
    scan = nib.as_closest_canonical(nib.load(options.scan))
    named = [(options.truth, "lime"), (options.mask, "red")]
    masks = [(nib.as_closest_canonical(nib.load(path)).get_fdata(), colour) for path, colour in named if path]
    draw(scan.get_fdata(), masks, scan.header.get_zooms(), options.title, options.picture)


if __name__ == "__main__":
    main()
