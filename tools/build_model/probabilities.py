"""Brings SAMSEG's whole-head atlas to the template: prior probabilities of 44 structures on the template's grid.

The atlas is a mesh without intensities. A synthetic T1w (each structure's prior probability times its intensity) is
made from it and registered to the template.

Reference: Puonti O, Iglesias JE, Van Leemput K. NeuroImage 2016;143:235-249.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tools.build_model import ants
from tools.build_model.images import load, save

SHAPE = (181, 217, 181)
AFFINE = np.array([[-1.0, 0, 0, 90], [0, 1, 0, -126], [0, 0, 1, -72], [0, 0, 0, 1]])
"""The grid of the mesh, as in the atlas's ``template.nii.gz``: 1 mm, MNI152 box, x from right to left."""

TYPICAL_INTENSITY = {
    "Unknown": 0.0, "Ventral": 82.0, "Skull": 20.0, "Soft": 45.0, "CSF": 18.0, "Vent": 15.0, "Fluid": 15.0,
    "White": 90.0, "Cortex": 65.0, "Brain-Stem": 83.0, "Thalamus": 78.0, "Caudate": 66.0, "Putamen": 72.0,
    "Pallidum": 84.0, "Accumbens": 68.0, "Hippocampus": 64.0, "Amygdala": 64.0, "vessel": 40.0, "choroid": 40.0,
    "hypointensities": 70.0, "Optic": 75.0,
}  # fmt: skip
"""A T1w's usual order of intensities, in per cent, by part of the name (first match): for the registration only."""


def extension(unpacked: Path) -> ModuleType:
    """Load SAMSEG's mesh library from the unpacked wheel (built for the Python that runs this)."""
    (path,) = (unpacked / "samseg" / "gems").glob("gemsbindings*.so")
    loader = importlib.machinery.ExtensionFileLoader("gemsbindings", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("gemsbindings", loader))
    loader.exec_module(module)
    return module


def class_names(lookup_table: Path) -> list[str]:
    """Return the structures' names in the order of the mesh's classes (``compressionLookupTable.txt``)."""
    rows = [line.split() for line in lookup_table.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [row[2] for row in sorted(rows, key=lambda row: int(row[1]))]


def rasterise(mesh_file: Path, gems: ModuleType) -> NDArray[np.uint16]:
    """Return the probabilities (65535 is 1) of all classes, shape ``SHAPE + (classes,)``."""
    collection = gems.KvlMeshCollection()
    collection.read(str(mesh_file))
    return np.asarray(collection.reference_mesh.rasterize(list(SHAPE), -1))


def typical_intensity(name: str) -> float:
    return next(value for part, value in TYPICAL_INTENSITY.items() if part in name)


def synthetic_t1w(priors: NDArray[np.uint16], intensities: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the expected intensity at each voxel."""
    image = np.zeros(priors.shape[:3], dtype=np.float32)
    for index, intensity in enumerate(intensities):
        image += priors[..., index] * np.float32(intensity / 65535)
    return image


def atlas_coordinates(template: Path, transforms: list[str], work: Path) -> NDArray[np.float32]:
    """Return, for each voxel of the template, its voxel coordinates in the atlas: shape ``(3, x, y, z)``.

    The atlas's three index ramps are resampled: exact, since linear interpolation reproduces a ramp, and 3 images to
    resample instead of one a class. Outside the atlas the coordinates are those of no voxel.
    """
    ramps = np.indices(SHAPE, dtype=np.float32)
    calls = []
    for axis in range(3):
        ramp, target = work / f"ramp{axis}.nii", work / f"coordinate{axis}.nii"
        save(ramp, ramps[axis], AFFINE)
        calls.append(ants.warp(str(ramp), str(template), transforms, str(target), outside=-1000))
    ants.run(calls)
    return np.stack([load(work / f"coordinate{axis}.nii").data for axis in range(3)])


def resampled(priors: NDArray[np.uint16], coordinates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities of every class on the template's grid; outside the atlas all are 0."""
    volumes = np.empty((*coordinates.shape[1:], priors.shape[-1]), dtype=np.float32)
    for index in range(priors.shape[-1]):
        prior = priors[..., index].astype(np.float32) / 65535
        volumes[..., index] = ndimage.map_coordinates(prior, coordinates, order=1)
    return volumes


def on_template(template: Path, priors: NDArray[np.uint16], names: list[str], work: Path) -> NDArray[np.float32]:
    """Register the atlas to the template and return the priors there, ``(x, y, z, classes)``."""
    synthetic, prefix = work / "synthetic.nii", str(work / "atlas_")
    affine, field = f"{prefix}0GenericAffine.mat", f"{prefix}1Warp.nii.gz"
    if not Path(field).exists():
        save(synthetic, synthetic_t1w(priors, np.array([typical_intensity(name) for name in names])), AFFINE)
        ants.run([ants.linear(str(template), str(synthetic), prefix)])
        ants.run([ants.syn(str(template), str(synthetic), affine, prefix)])
    return resampled(priors, atlas_coordinates(template, [field, affine], work))
