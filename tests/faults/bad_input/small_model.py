"""A model folder at 4 mm, small enough to be broken a file at a time: head, brain mask, two lobes, tags."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from bad_input.place import Place

SPACE = "Small"
N_TAGS = 30
TISSUES = ((1, "CSF"), (2, "GM"), (3, "WM"))


def make_model(place: Place) -> Path:
    """The folder, sound as it is."""
    folder = place.root / "model"
    folder.mkdir()
    head = nib.load(place.heads["colin27"])
    voxels = np.asarray(head.dataobj)
    nib.save(head, folder / f"tpl-{SPACE}_T1w.nii.gz")
    brain = np.zeros(voxels.shape, np.uint8)
    brain[10:35, 12:42, 12:38] = 1
    save(brain, head, folder / f"tpl-{SPACE}_desc-brain_mask.nii.gz")
    lobes = brain.copy()
    lobes[22:35][brain[22:35] > 0] = 2
    save(lobes, head, folder / f"tpl-{SPACE}_seg-lobes_dseg.nii.gz")
    lines(folder / f"tpl-{SPACE}_seg-lobes_dseg_labels.tsv", "index\tname", "1\tLeft", "2\tRight")
    lines(folder / f"tpl-{SPACE}_seg-tissue_tags.tsv", "x\ty\tz\tindex", *tag_lines(head.affine))
    lines(folder / f"tpl-{SPACE}_seg-tissue_tags_labels.tsv", "index\tname", *(f"{i}\t{name}" for i, name in TISSUES))
    return folder


def save(voxels: np.ndarray, like: nib.Nifti1Image, path: Path) -> None:
    """Voxels on the head's grid, in their own type."""
    image = nib.Nifti1Image(voxels, None)
    image.set_qform(like.affine, 1)
    image.set_sform(None, 0)
    nib.save(image, path)


def tag_lines(affine: np.ndarray) -> list[str]:
    """Tags of each class inside the brain's box."""
    rng = np.random.default_rng(1)
    found = []
    for index, _ in TISSUES:
        for i, j, k in rng.integers((11, 13, 13), (34, 41, 37), (N_TAGS, 3)):
            x, y, z, _one = affine @ (i, j, k, 1)
            found.append(f"{x:.1f}\t{y:.1f}\t{z:.1f}\t{index}")
    return found


def lines(path: Path, *texts: str) -> None:
    path.write_text("".join(f"{text}\n" for text in texts))
