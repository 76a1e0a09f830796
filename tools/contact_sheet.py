"""Draws every overlay of a model folder on its T1w, seven slices in each of the three planes, for looking at.

Run by hand from the repository's root (needs matplotlib)::

    python -m tools.contact_sheet tntpipe/data/models/MNI152NLin2009cAsym docs/pictures

The left of a coronal or axial picture is the left of the head (neurological convention).
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image

SMOKE = ("{root}/tntpipe/data/models/MNI152NLin2009cAsym", "{folder}")

SLICES_MM = (
    (-50, -28, -12, -3, 8, 22, 40),
    (-85, -60, -35, -15, 0, 12, 40),
    (-40, -25, -12, 0, 10, 25, 50),
)
"""World coordinates of the sagittal, coronal and axial slices."""

PLANE_NAMES = ("x", "y", "z")
MARGINS_VOXELS = ((12, 12), (10, 10), (0, 10))
"""Cut off below and above on each axis: air in the template."""

TAG_COLOURS = {1: "deepskyblue", 2: "lime", 3: "red"}
TAG_REACH_MM = 1
"""A tag is drawn on a slice up to so far away from it."""

Drawer = Callable[[Axes, int, int], None]
Slices = Sequence[Sequence[float]]


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def plane(volume: NDArray[Any], axis: int, index: int) -> NDArray[Any]:
    """Return one slice with the first remaining axis to the right and the second upwards."""
    return np.asarray(np.take(volume, index, axis=axis).T)


def label_colours(count: int) -> ListedColormap:
    """Return colours for the ranks 1..count (up to 20, dark ones first), nothing drawn for 0."""
    palette = plt.get_cmap("tab20").colors  # type: ignore[attr-defined]
    colours = [*palette[::2], *palette[1::2]][:count]
    return ListedColormap([(0.0, 0.0, 0.0, 0.0), *colours])


def mask_drawer(mask: NDArray[Any], colour: str) -> Drawer:
    def draw(axes: Axes, axis: int, index: int) -> None:
        section = plane(mask, axis, index)
        if section.any():
            axes.contour(section, levels=[0.5], colors=[colour], linewidths=1)

    return draw


def label_drawer(labels: NDArray[Any], indices: list[int]) -> Drawer:
    ranks = np.searchsorted(np.array([0, *indices]), labels)
    colours, highest = label_colours(len(indices)), len(indices)

    def draw(axes: Axes, axis: int, index: int) -> None:
        section = np.ma.masked_equal(plane(ranks, axis, index), 0)
        axes.imshow(section, cmap=colours, vmin=0, vmax=highest, alpha=0.6, interpolation="nearest", origin="lower")

    return draw


def tag_drawer(voxels: NDArray[np.float64], classes: NDArray[np.int64]) -> Drawer:
    def draw(axes: Axes, axis: int, index: int) -> None:
        near = np.abs(voxels[:, axis] - index) <= TAG_REACH_MM
        across, up = (other for other in range(3) if other != axis)
        colours = [TAG_COLOURS[tissue] for tissue in classes[near]]
        axes.scatter(voxels[near, across], voxels[near, up], c=colours, s=6, linewidths=0)

    return draw


def write_palette_png(figure: Figure, path: Path) -> None:
    """Write the figure with a palette, a third of the size of true colour."""
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    Image.fromarray(pixels).quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


def draw_sheet(
    t1w: nib.Nifti1Image,
    draw: Drawer,
    title: str,
    legend: list[Patch],
    path: Path,
    *,
    slices_mm: Slices = SLICES_MM,
    margins_voxels: Slices = MARGINS_VOXELS,
) -> None:
    """Write one sheet: rows are planes, columns slices."""
    data = np.asarray(t1w.dataobj)
    brightest = float(np.percentile(data, 99.8))
    to_voxel = np.linalg.inv(t1w.affine)
    margins = [(low, size - high) for (low, high), size in zip(margins_voxels, data.shape, strict=True)]
    figure, grid = plt.subplots(3, len(slices_mm[0]), figsize=(14.4, 7.2), facecolor="black", dpi=110)
    for axis, positions in enumerate(slices_mm):
        for axes, position in zip(grid[axis], positions, strict=True):
            index = round(float(to_voxel[axis, axis] * position + to_voxel[axis, 3]))
            axes.imshow(plane(data, axis, index), cmap="gray", vmin=0, vmax=brightest, origin="lower")
            draw(axes, axis, index)
            axes.set_title(f"{PLANE_NAMES[axis]} = {position:.0f} mm", color="white", fontsize=7, pad=1)
            across, up = (margins[other] for other in range(3) if other != axis)
            axes.set(xlim=across, ylim=up)
            axes.axis("off")
    figure.suptitle(title, color="white", fontsize=10, y=0.995)
    if legend:
        figure.legend(handles=legend, loc="lower center", ncols=10, fontsize=7, frameon=False, labelcolor="white")
    figure.subplots_adjust(left=0.005, right=0.995, top=0.945, bottom=0.065, wspace=0.02, hspace=0.08)
    write_palette_png(figure, path)
    plt.close(figure)


def label_sheet(t1w: nib.Nifti1Image, start: str, kind: str, path: Path) -> None:
    """Draw a label map beside which a ``_labels.tsv`` lies."""
    rows = read_rows(Path(f"{start}seg-{kind}_dseg_labels.tsv"))
    indices = [int(row["index"]) for row in rows]
    colours = label_colours(len(indices))
    legend = [Patch(color=colours(rank), label=row["name"]) for rank, row in enumerate(rows, start=1)]
    labels = np.asarray(nib.load(f"{start}seg-{kind}_dseg.nii.gz").dataobj)
    draw_sheet(t1w, label_drawer(labels, indices), kind, legend, path)


def tag_sheet(t1w: nib.Nifti1Image, start: str, path: Path) -> None:
    """Draw the tags as dots."""
    rows = read_rows(Path(f"{start}seg-tissue_tags.tsv"))
    names = {int(row["index"]): row["name"] for row in read_rows(Path(f"{start}seg-tissue_tags_labels.tsv"))}
    world = np.array([[float(row[axis]) for axis in PLANE_NAMES] for row in rows])
    classes = np.array([int(row["index"]) for row in rows])
    voxels = nib.affines.apply_affine(np.linalg.inv(t1w.affine), world)
    legend = [Patch(color=TAG_COLOURS[index], label=name) for index, name in names.items()]
    draw_sheet(t1w, tag_drawer(voxels, classes), "tissue tags", legend, path)


def draw_model(model: Path, pictures: Path) -> None:
    """Write ``model-*.png`` for every overlay of the model folder."""
    pictures.mkdir(parents=True, exist_ok=True)
    (t1w_path,) = model.glob("tpl-*_T1w.nii.gz")
    start = str(t1w_path).removesuffix("T1w.nii.gz")
    t1w = nib.load(t1w_path)
    for name, part, colour in (("brain", "desc-brain_mask", "red"), ("icv", "label-ICV_mask", "yellow")):
        mask = np.asarray(nib.load(f"{start}{part}.nii.gz").dataobj)
        draw_sheet(t1w, mask_drawer(mask, colour), part, [], pictures / f"model-{name}.png")
    for kind in ("lobes", "subcortex"):
        label_sheet(t1w, start, kind, pictures / f"model-{kind}.png")
    tag_sheet(t1w, start, pictures / "model-tags.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("pictures", type=Path)
    arguments = parser.parse_args()
    draw_model(arguments.model, arguments.pictures)


if __name__ == "__main__":
    main()
