"""Draws what a run made of its scans, for looking at: brain mask, tissue, lobes, subcortical structures.

Run by hand from the repository's root (needs matplotlib)::

    python -m tools.scan_pictures demo/out docs/pictures

The left of a coronal or axial picture is the left of the head. Each sheet spans the brain.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import nibabel as nib
import numpy as np
from matplotlib.patches import Patch

from tools.contact_sheet import draw_sheet, label_colours, label_drawer, mask_drawer, read_rows

SMOKE = ("--help",)

N_SLICES = 7
SPAN = (0.12, 0.88)
"""The first and the last slice, as shares of the brain's extent."""


def load(path: Path) -> nib.Nifti1Image:
    """Load an image with its axes to the right, to the front and up."""
    return nib.as_closest_canonical(nib.load(path))


def brain_slices_mm(mask: nib.Nifti1Image) -> list[list[float]]:
    """World positions of slices spread over the brain, for each axis."""
    voxels = np.argwhere(np.asarray(mask.dataobj) > 0)
    world = nib.affines.apply_affine(mask.affine, voxels)
    low, high = world.min(axis=0), world.max(axis=0)
    return [list(low[axis] + (high[axis] - low[axis]) * np.linspace(*SPAN, N_SLICES)) for axis in range(3)]


def draw_scan(stem: str, pictures: Path) -> None:
    """Write ``<scan>-*.png`` for the scan whose derivatives begin with ``stem``."""
    scan = Path(stem).name
    t1w, mask = load(Path(f"{stem}_desc-preproc_T1w.nii.gz")), load(Path(f"{stem}_desc-brain_mask.nii.gz"))
    where = {"slices_mm": brain_slices_mm(mask), "margins_voxels": [(0, 1)] * 3}
    drawer = mask_drawer(np.asarray(mask.dataobj), "red")
    draw_sheet(t1w, drawer, f"{scan}: brain mask", [], pictures / f"{scan}-brain.png", **where)
    for name, pattern in (("tissue", "_seg-tissue"), ("lobes", "_seg-lobes"), ("subcortex", "_atlas-*_seg-subcortex")):
        path = next(Path(stem).parent.glob(f"{scan}{pattern}_dseg.nii.gz"))
        rows = read_rows(path.with_name(path.name.replace(".nii.gz", ".tsv")))
        indices = [int(row["index"]) for row in rows]
        colours = label_colours(len(indices))
        legend = [Patch(color=colours(rank), label=row["name"]) for rank, row in enumerate(rows, start=1)]
        drawer = label_drawer(np.asarray(load(path).dataobj), indices)
        draw_sheet(t1w, drawer, f"{scan}: {name}", legend, pictures / f"{scan}-{name}.png", **where)


def main() -> None:
    """Draw every scan of an output folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output_dir", type=Path)
    parser.add_argument("pictures", type=Path)
    options = parser.parse_args()
    options.pictures.mkdir(parents=True, exist_ok=True)
    for path in sorted(options.output_dir.rglob("anat/*_seg-tissuelobes_stats.tsv")):
        draw_scan(str(path).removesuffix("_seg-tissuelobes_stats.tsv"), options.pictures)


if __name__ == "__main__":
    main()
