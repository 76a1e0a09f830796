"""The atlas's probabilities themselves, for scans to be segmented with: 39 structures on a grid of 2 mm.

SAMSEG's atlas is smooth (its mesh has nodes some millimetres apart), so 2 mm and 255 levels lose next to nothing.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from tools.build_model.images import MNI_QFORM_CODE

STEP = 2
SIDES = {"Right": "R", "Left": "L"}

KINDS: tuple[tuple[str, str, str, str], ...] = (
    ("Cerebral-White-Matter", "CerebralWM", "WM", "WM"),
    ("Cerebral-Cortex", "CerebralCortex", "GM", "GM"),
    ("Cerebellum-White-Matter", "CerebellarWM", "WM", "CerebellarWM"),
    ("Cerebellum-Cortex", "CerebellarCortex", "GM", "CerebellarGM"),
    ("Thalamus", "Thalamus", "GM", "Thalamus"),
    ("Caudate", "Caudate", "GM", "Caudate"),
    ("Putamen", "Putamen", "GM", "Putamen"),
    ("Accumbens", "Accumbens", "GM", "Caudate"),
    ("Pallidum", "Pallidum", "GM", "Pallidum"),
    ("Hippocampus", "Hippocampus", "GM", "GM"),
    ("Amygdala", "Amygdala", "GM", "GM"),
    ("VentralDC", "VentralDC", "WM", "BrainStem"),
    ("Lateral-Ventricle", "LateralVentricle", "CSF", "Ventricle"),
    ("Inf-Lat-Vent", "InferiorLateralVentricle", "CSF", "Ventricle"),
    ("choroid-plexus", "ChoroidPlexus", "CSF", "CSF"),
    ("Brain-Stem", "BrainStem", "WM", "BrainStem"),
    ("Optic-Chiasm", "OpticChiasm", "WM", "BrainStem"),
    ("3rd-Ventricle", "ThirdVentricle", "CSF", "Ventricle"),
    ("5th-Ventricle", "ThirdVentricle", "CSF", "Ventricle"),
    ("4th-Ventricle", "FourthVentricle", "CSF", "Ventricle"),
    ("non-WM-hypointensities", "WMHypointensity", "WM", "GM"),
    ("WM-hypointensities", "WMHypointensity", "WM", "GM"),
    ("vessel", "CSF", "CSF", "CSF"),
    ("CSF", "CSF", "CSF", "CSF"),
    ("Skull", "Skull", "n/a", "Skull"),
    ("Soft", "SoftTissue", "n/a", "SoftTissue"),
    ("Fluid", "EyeFluid", "n/a", "EyeFluid"),
    ("Unknown", "Background", "n/a", "Background"),
)
"""A part of the atlas's name (first match), our name, its tissue, and whose intensities it shares.

The tissue of the brain stem and the ventral diencephalon is white matter, of hypointense white matter too."""

NUCLEI = (
    "Thalamus", "Caudate", "Putamen", "Accumbens", "Pallidum", "Hippocampus", "Amygdala", "VentralDC", "BrainStem",
)  # fmt: skip


def structures(names: list[str]) -> dict[str, tuple[list[int], str, str]]:
    """Return, by our names, the atlas's classes that make up a structure, its tissue and its intensities."""
    found: dict[str, tuple[list[int], str, str]] = {}
    for index, name in enumerate(names):
        _, ours, tissue, intensity = next(row for row in KINDS if row[0] in name)
        side = next((f"-{short}" for long, short in SIDES.items() if name.startswith(long) and ours != "CSF"), "")
        found.setdefault(ours + side, ([], tissue, intensity))[0].append(index)
    return dict(sorted(found.items(), key=lambda item: (item[1][1] == "n/a", item[0])))


def save_probabilities(
    path: Path, priors: NDArray[np.float32], names: list[str], affine: NDArray[np.float64]
) -> list[dict[str, str]]:
    """Write the probabilities, ``(x, y, z, structure)``, 255 for certainty, and return the rows of their table."""
    volumes, rows = [], []
    for index, (name, (classes, tissue, intensity)) in enumerate(structures(names).items(), start=1):
        coarse = np.asarray(priors[::STEP, ::STEP, ::STEP, classes]).sum(axis=-1)
        volumes.append(np.rint(np.clip(coarse, 0, 1) * 255).astype(np.uint8))
        nucleus = name if name.partition("-")[0] in NUCLEI else "n/a"
        rows.append({"index": str(index), "name": name, "tissue": tissue, "intensity": intensity, "subcortex": nucleus})
    image = nib.Nifti1Image(np.stack(volumes, axis=-1), affine @ np.diag([STEP, STEP, STEP, 1.0]))
    image.set_qform(image.affine, code=MNI_QFORM_CODE)
    image.set_sform(None, code=0)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return rows
