"""What an atlas expects where: the probability of each structure, sampled at places of its space.

Decides what a voxel that the atlas does not cover is (background), and which structures a table names. Knows neither
scan nor intensity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError, TableError
from tntpipe.imaging.facts import read_facts
from tntpipe.imaging.given_image import image_of
from tntpipe.imaging.orientation import MAX_SHEAR_ANGLE
from tntpipe.imaging.tables import MISSING, read_table
from tntpipe.imaging.volumes import Affine, bounding_box, stored_voxels

CERTAIN = 255
"""The stored value that stands for a probability of 1."""

BACKGROUND = "Background"
TISSUES = ("CSF", "GM", "WM")
REMEDY = "Use the built-in model, or make the file as tools/build_model does (docs/models.md)."


@dataclass(frozen=True, slots=True)
class Structure:
    """One structure: its tissue (none outside the skull), the group whose intensities it shares, and its name in the
    table of subcortical labels (none where it is not one)."""

    name: str
    tissue: str | None
    intensity: str
    subcortex: str | None


@dataclass(frozen=True, slots=True)
class Priors:
    """Probabilities of structures in an atlas's space.

    ``voxels`` is (i, j, k, structure), uint8, `CERTAIN` for 1; ``affine`` carries voxel indices to world mm (RAS).
    ``boxes`` are the parts of the atlas that hold anything of each structure, found once since most are small.
    """

    structures: tuple[Structure, ...]
    voxels: NDArray[np.uint8]
    affine: Affine
    boxes: tuple[tuple[slice, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        held = (self.voxels[..., row] > 0 for row in range(len(self.structures)))
        boxes = tuple(bounding_box(part) if part.any() else (slice(0, 0),) * 3 for part in held)
        object.__setattr__(self, "boxes", boxes)

    @property
    def groups(self) -> tuple[str, ...]:
        """The intensity groups, in the order in which they first appear."""
        return tuple(dict.fromkeys(structure.intensity for structure in self.structures))

    def group_of(self) -> NDArray[np.intp]:
        """(structures,): the index of each structure's intensity group."""
        groups = self.groups
        return np.array([groups.index(structure.intensity) for structure in self.structures])

    def of_tissue(self, tissue: str | None) -> NDArray[np.bool_]:
        """(structures,): which ones are of a tissue; None for what lies outside the skull."""
        return np.array([structure.tissue == tissue for structure in self.structures])

    def indices_at(self, world: NDArray[np.floating]) -> NDArray[np.float32]:
        """(3, n): the atlas's voxel indices, fractions included, of world points (3, n), mm, RAS."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(inverse[:3, :3] @ world + inverse[:3, 3:], dtype=np.float32)

    def at(self, world: NDArray[np.floating]) -> NDArray[np.float32]:
        """(structures, n): the probabilities at world points (3, n), mm, RAS, which sum to 1 at each point."""
        from scipy import ndimage

        places = self.indices_at(world)
        found = np.empty((len(self.structures), places.shape[1]), dtype=np.float32)
        for row, box in enumerate(self.boxes):
            near = np.ones(places.shape[1], dtype=bool)
            for axis, part in enumerate(box):
                near &= (places[axis] > part.start - 1) & (places[axis] < part.stop)
            found[row] = 0
            found[row, near] = ndimage.map_coordinates(
                self.voxels[..., row], places[:, near], order=1, output=np.float32
            )
        found /= CERTAIN
        background = [structure.name for structure in self.structures].index(BACKGROUND)
        total = found.sum(axis=0)
        found[background] += np.maximum(1 - total, 0)
        found /= np.maximum(total, 1)
        return found

    def intracranial(self) -> NDArray[np.uint8]:
        """(i, j, k): the probability of anything within the skull, `CERTAIN` for 1."""
        outside = self.of_tissue(None)
        total = self.voxels[..., ~outside].astype(np.uint16).sum(axis=-1)
        return np.asarray(np.minimum(total, CERTAIN), dtype=np.uint8)


def read_priors(path: str | Path, table: str | Path) -> Priors:
    """The probabilities of a model: a 4-D image of bytes, and the table of its structures.

    Raises
    ------
    ImageError
        The image is no 4-D image of bytes with a volume for each row of the table.
    TableError
        A column is missing, a tissue is none of `TISSUES`, or no structure is called ``Background``.
    """
    columns = ("name", "tissue", "intensity", "subcortex")
    structures = tuple(
        Structure(row["name"], _given(row["tissue"]), row["intensity"], _given(row["subcortex"]))
        for row in read_table(table, columns)
    )
    unknown = {structure.tissue for structure in structures} - {*TISSUES, None}
    if unknown:
        raise TableError(f"{table}: {sorted(map(str, unknown))[0]!r} is none of {', '.join(TISSUES)}.", remedy=REMEDY)
    if BACKGROUND not in {structure.name for structure in structures}:
        raise TableError(f"{table}: no structure is called {BACKGROUND}.", remedy=REMEDY)
    image = image_of(read_facts(path, MAX_SHEAR_ANGLE, series=True))
    voxels = stored_voxels(image, path)
    if voxels.dtype != np.uint8 or voxels.ndim != 4 or voxels.shape[3] != len(structures):
        raise ImageError(
            f"{path}: is {'×'.join(map(str, voxels.shape))} of {voxels.dtype}, where probabilities are bytes, a volume "
            f"for each of the {len(structures)} structures of {table}.",
            remedy=REMEDY,
        )
    return Priors(structures, np.ascontiguousarray(voxels), np.asarray(image.affine))


def _given(word: str) -> str | None:
    return None if word == MISSING else word
