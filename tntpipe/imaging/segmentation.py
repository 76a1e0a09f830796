"""A scan's tissues and structures: what the atlas expects where, and what the scan shows, decided together.

The mixture and the field (`mixture`) are estimated on some of the voxels; every voxel of the head then gets, slab by
slab, the probability of each structure. Decides also which grey and white matter is the brain's, and what its mask is.
Knows no registration: where the scan lies in the atlas is given as a displacement field.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError
from tntpipe.imaging.brain import CLOSING_MM, tell_doubts
from tntpipe.imaging.brain_box import brain_box, cropped, resampled
from tntpipe.imaging.displacement import model_places, read_displacement
from tntpipe.imaging.mixture import EVERYWHERE, NEEDED, WIDE_VENTRICLES, Mixture, fit
from tntpipe.imaging.priors import CERTAIN, TISSUES, Priors, read_priors
from tntpipe.imaging.smooth_field import LEAST, MOST, CosineBasis, cosine_basis
from tntpipe.imaging.tables import read_labels
from tntpipe.imaging.volumes import (
    Affine,
    bounding_box,
    like,
    load,
    real_voxels,
    require_same_grid,
    save,
    stored_voxels,
    voxel_size,
)

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image

MARGIN_MM = 20.0
"""How far around the intracranial space voxels are looked at: the skull and what lies on it."""
FIELD_REACH_MM = 10.0
"""How far around the intracranial space the cosines of the field are followed; beyond, the field is that of the nearest
voxel so near. Without an end, the face of one adult became five times too bright, which the registration of the head
then saw."""
INTRACRANIAL = 0.1
"""Probability above which a voxel may lie within the skull."""
N_SAMPLES = 120_000
"""Voxels that the mixture is estimated on, drawn with a fixed seed."""
SLAB_VOXELS = 250_000
SEED = 1

REMEDY = "Look at the registered model on the scan, and whether this is a T1w with a right orientation."

FEWEST_SDS = 0.5
"""Between the means of neighbouring tissues, in standard deviations of one: below it they cannot be told apart."""

CORE_MM = 1.9
REACH_MM = 3.5
"""Grey and white matter that hangs on the brain by less than twice `CORE_MM` (dura, optic nerves, muscle) is not its
own, beyond `REACH_MM` of what is thicker: a gyrus is thicker, and its crown lies within that reach."""
LEAST_VENTRICLE_MM3 = 1000.0
"""Fluid taken for ventricle in smaller pieces is left to the filling of sulci: in eight adults of 21 to 65 years the
smallest lateral ventricle had 5 cm³."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Head:
    """A scan with what is known of it before its intensities are looked at.

    ``looked_at`` is (3, n): the voxels of the head in question; ``displacement`` leads from them to the atlas.
    ``box`` holds them, and ``nearest`` (3, i, j, k), in voxels of the whole image, leads from each of the box's to the
    nearest within `FIELD_REACH_MM` of where the intracranial space is expected, whose field it gets.
    """

    image: Nifti1Image
    values: NDArray[np.float32]
    voxel_mm: tuple[float, float, float]
    displacement: NDArray[np.float32]
    looked_at: NDArray[np.int32]
    box: tuple[slice, ...]
    nearest: NDArray[np.int32]
    basis: CosineBasis

    @property
    def affine(self) -> Affine:
        return np.asarray(self.image.affine)

    def decided_at(self, indices: NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """Of voxels (3, n) of the box, those whose field they get: themselves near the skull."""
        i, j, k = (indices[axis] - part.start for axis, part in enumerate(self.box))
        return self.nearest[:, i, j, k]

    def field(self, coefficients: NDArray[np.float64]) -> NDArray[np.float32]:
        """(i, j, k): the field on the whole image, beyond the box as at its border."""
        shape = self.values.shape
        found = np.exp(self.basis.volume(coefficients, shape))[tuple(self.nearest)]
        lines = [
            np.clip(np.arange(n), part.start, part.stop - 1) - part.start
            for n, part in zip(shape, self.box, strict=True)
        ]
        return np.asarray(np.clip(found, LEAST, MOST)[np.ix_(*lines)])


@dataclass(frozen=True, slots=True)
class Explained:
    """The mixture of a head, and the multiplicative field (i, j, k) that lies on its intensities."""

    head: Head
    priors: Priors
    mixture: Mixture
    field: NDArray[np.float32]


def read_head(image: str, displacement: str, priors: Priors) -> Head:
    """The scan at ``image``, its voxels within `MARGIN_MM` of where the atlas expects the intracranial space."""
    from scipy import ndimage

    scan = load(image)
    values = np.maximum(real_voxels(scan, image), 0)
    field = read_displacement(displacement, scan.shape)
    voxel_mm = voxel_size(scan)
    expected = priors.intracranial()
    inside = np.zeros(scan.shape, dtype=bool)
    for first in range(scan.shape[0]):
        indices = np.stack(np.meshgrid([first], *map(np.arange, scan.shape[1:]), indexing="ij")).reshape(3, -1)
        places = priors.indices_at(model_places(indices, np.asarray(scan.affine), field))
        found = ndimage.map_coordinates(expected, places, order=1, output=np.float32)
        inside[first] = (found > INTRACRANIAL * CERTAIN).reshape(scan.shape[1:])
    if not inside.any():
        raise ImageError(f"{image}: the registered atlas does not meet the scan: the registration has failed.")
    box = bounding_box(inside, [round(MARGIN_MM / size) for size in voxel_mm])
    away_mm = ndimage.distance_transform_edt(~inside[box], sampling=voxel_mm)
    corner = np.array([part.start for part in box], dtype=np.int32)
    looked_at = np.argwhere(away_mm <= MARGIN_MM).T.astype(np.int32) + corner[:, None]
    nearest = ndimage.distance_transform_edt(
        away_mm > FIELD_REACH_MM, sampling=voxel_mm, return_distances=False, return_indices=True
    )
    nearest += corner[:, None, None, None]
    return Head(scan, values, voxel_mm, field, looked_at, box, nearest, cosine_basis(inside, voxel_mm))


def explain(head: Head, priors: Priors, image: str, iterations: float) -> Explained:
    """Estimate the mixture and the field of a head.

    Raises
    ------
    ImageError
        CSF, GM and WM do not follow each other from dark to bright, or cannot be told apart, or there is no tissue.
    """
    draw = np.random.default_rng(SEED)
    n_voxels = head.looked_at.shape[1]
    chosen = np.sort(draw.permutation(n_voxels)[:N_SAMPLES])
    indices = head.looked_at[:, chosen]
    grouped = _grouped(priors, priors.at(model_places(indices, head.affine, head.displacement)))
    values = head.values[indices[0], indices[1], indices[2]]
    basis = head.basis.at(head.decided_at(indices))
    try:
        found = fit(values, grouped, priors.groups, basis, head.basis.bending(), round(iterations))
    except np.linalg.LinAlgError as fault:
        raise ImageError(
            f"{image}: nothing has the intensities of tissue where the registered atlas expects the brain: the "
            "registration has failed, or this is no T1w.",
            remedy=REMEDY,
        ) from fault
    _tell(found.mixture, found.log_likelihood)
    _require_tissues(found.mixture, image)
    return Explained(head, priors, found.mixture, head.field(found.field))


def posteriors(found: Explained) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float32]]]:
    """Slab by slab, voxel indices (3, n) and the probability of each structure there (structures, n)."""
    head, priors = found.head, found.priors
    group_of = priors.group_of()
    for start in range(0, head.looked_at.shape[1], SLAB_VOXELS):
        indices = head.looked_at[:, start : start + SLAB_VOXELS]
        expected = priors.at(model_places(indices, head.affine, head.displacement))
        _raise(expected, priors)
        flat = head.values[tuple(indices)] / found.field[tuple(indices)]
        joint = expected * found.mixture.likelihoods(flat)[group_of]
        yield indices, joint / (joint.sum(axis=0) + np.float32(1e-20))


def decide(found: Explained) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """What every voxel is: (tissues, i, j, k), the probability of each of `TISSUES`, and (i, j, k), the likeliest
    structure within the skull by its row in the atlas's table, from 1; 0 where none is likelier than not."""
    atlas, shape = found.priors, found.head.values.shape
    maps = np.zeros((len(TISSUES), *shape), dtype=np.float32)
    structures = np.zeros(shape, dtype=np.uint8)
    members = [atlas.of_tissue(tissue) for tissue in TISSUES]
    inside = ~atlas.of_tissue(None)
    rows = np.flatnonzero(inside) + 1
    for indices, share in posteriors(found):
        place = tuple(indices)
        for row, member in enumerate(members):
            maps[row][place] = share[member].sum(axis=0)
        within = share[inside]
        structures[place] = np.where(within.sum(axis=0) > 0.5, rows[within.argmax(axis=0)], 0)
    return maps, structures


def brain_of(solid: Mask, ventricles: Mask, voxel_mm: tuple[float, float, float]) -> Mask:
    """The brain mask around grey and white matter: what hangs together in thickness, its sulci filled, and ventricles.

    A wide ventricle may open to the outside by more than a sulcus is wide, and is then no hole that filling finds.

    Raises
    ------
    ImageError
        There is nothing so thick.
    """
    from scipy import ndimage

    nothing = ImageError("No grey or white matter was found: the registration has failed, or there is no brain.")
    if not solid.any():
        raise nothing
    box = bounding_box(solid, [round(2 * CLOSING_MM / size) + 2 for size in voxel_mm])
    inside = solid[box]
    thick = ndimage.distance_transform_edt(inside, sampling=voxel_mm) > CORE_MM
    pieces, n_pieces = ndimage.label(thick)
    if not n_pieces:
        raise nothing
    core = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    own = inside & (ndimage.distance_transform_edt(~core, sampling=voxel_mm) <= REACH_MM)
    pieces, n_pieces = ndimage.label(ventricles[box])
    sizes_mm3 = np.bincount(pieces.ravel()) * float(np.prod(voxel_mm))
    sizes_mm3[0] = 0
    own |= (sizes_mm3 >= LEAST_VENTRICLE_MM3)[pieces]
    wide = np.pad(own, 1)
    grown = ndimage.distance_transform_edt(~wide, sampling=voxel_mm) <= CLOSING_MM
    closed = ndimage.distance_transform_edt(grown, sampling=voxel_mm) > CLOSING_MM
    filled = ndimage.binary_fill_holes(closed | wide)[1:-1, 1:-1, 1:-1]
    mask = np.zeros(solid.shape, dtype=bool)
    mask[box] = filled
    return mask


def correct_by_tissue_file(
    *, image: str, displacement: str, priors: str, priors_table: str, output: str, iterations: float
) -> None:
    """The command ``correct-by-tissue``: the scan without the field that its tissues show."""
    atlas = read_priors(priors, priors_table)
    found = explain(read_head(image, displacement, atlas), atlas, image, iterations)
    save(like(found.head.values / found.field, found.head.image), output)


def tissue_maps_file(
    *,
    image: str,
    displacement: str,
    priors: str,
    priors_table: str,
    mask: str,
    output: str,
    margin: float,
    grid_mm: float,
    iterations: float,
) -> None:
    """The command ``tissue-maps``: probabilities of CSF, GM and WM in a mask's box, as ``<output><tissue>.nii.gz``.

    With a ``grid_mm`` above 0 they are resampled to isotropic voxels of that size.
    """
    atlas = read_priors(priors, priors_table)
    found = explain(read_head(image, displacement, atlas), atlas, image, iterations)
    box = brain_box(stored_voxels(load(mask), mask) > 0, margin, found.head.voxel_mm)
    for tissue, values in zip(TISSUES, decide(found)[0], strict=True):
        cut = cropped(values, found.head.image, box)
        save(resampled(cut, grid_mm) if grid_mm else cut, f"{output}{tissue}.nii.gz")


def prior_tissues_file(*, priors: str, priors_table: str, output: str) -> None:
    """The command ``prior-tissues``: an atlas's probabilities of CSF, GM and WM, as ``<output><tissue>.nii.gz``."""
    import nibabel

    atlas = read_priors(priors, priors_table)
    for tissue in TISSUES:
        total = atlas.voxels[..., atlas.of_tissue(tissue)].astype(np.float32).sum(axis=-1) / CERTAIN
        image = nibabel.nifti1.Nifti1Image(np.minimum(total, 1), atlas.affine)
        image.set_qform(atlas.affine, code=1)
        image.set_sform(None, code=0)
        save(image, f"{output}{tissue}.nii.gz")


def segment_file(
    *,
    image: str,
    displacement: str,
    priors: str,
    priors_table: str,
    tissue_labels: str,
    subcortex_labels: str,
    mask: str | None,
    output: str,
    iterations: float,
) -> None:
    """The command ``segment``: everything that the last pass decides, each file's name after ``output``.

    ``corrected.nii.gz``, ``brain_mask.nii.gz``, ``tissue.nii.gz``, ``posterior<index>.nii.gz`` by the tissue's index,
    ``structures.nii.gz`` by the row of the table of priors, and ``subcortex.nii.gz``. A ``mask`` that is given is the
    brain mask.
    """
    atlas = read_priors(priors, priors_table)
    found = explain(read_head(image, displacement, atlas), atlas, image, iterations)
    scan, voxel_mm = found.head.image, found.head.voxel_mm
    maps, structures = decide(found)
    if mask is None:
        solid = maps[TISSUES.index("GM")] + maps[TISSUES.index("WM")] > 0.5
        of_ventricle = np.array([False] + [s.intensity == "Ventricle" for s in atlas.structures])
        brain = brain_of(solid, of_ventricle[structures], voxel_mm)
        tell_doubts(brain, found.head.values, voxel_mm)
    else:
        masking = load(mask)
        require_same_grid(scan, image, masking, mask)
        brain = stored_voxels(masking, mask) > 0
    maps[:, ~brain] = 0
    structures[~brain] = 0
    index_of = {label.name: label.index for label in read_labels(tissue_labels)}
    nuclei = {label.name: label.index for label in read_labels(subcortex_labels)}
    codes = np.array([index_of[tissue] for tissue in TISSUES], dtype=np.uint8)
    tissue = np.where(maps.sum(axis=0) > 0.5, codes[maps.argmax(axis=0)], 0).astype(np.uint8)
    tissue_of_row = np.array([0] + [index_of.get(s.tissue or "", 0) for s in atlas.structures], dtype=np.uint8)
    nucleus_of_row = np.array([0] + [nuclei.get(s.subcortex or "", 0) for s in atlas.structures], dtype=np.uint8)
    subcortex = np.where(tissue_of_row[structures] == tissue, nucleus_of_row[structures], 0).astype(np.uint8)
    made = {
        "corrected": found.head.values / found.field,
        "brain_mask": brain.astype(np.uint8),
        "tissue": tissue,
        "structures": structures,
        "subcortex": subcortex,
        **{f"posterior{index_of[name]}": values for name, values in zip(TISSUES, maps, strict=True)},
    }
    for name, voxels in made.items():
        save(like(voxels, scan), f"{output}{name}.nii.gz")


def _grouped(priors: Priors, expected: NDArray[np.float32]) -> NDArray[np.float32]:
    group_of = priors.group_of()
    return np.stack([expected[group_of == group].sum(axis=0) for group in range(len(priors.groups))])


def _raise(expected: NDArray[np.float32], priors: Priors) -> None:
    """Give structures the least that their group has anywhere, as the mixture was estimated with."""
    names = [structure.name for structure in priors.structures]
    for group, least in EVERYWHERE.items():
        if group in names:
            expected[names.index(group)] += np.float32(least)
    for side in ("L", "R"):
        ventricle = f"LateralVentricle-{side}"
        if ventricle in names:
            beside = [f"{part}-{side}" for part in ("Caudate", "Thalamus", "CerebralWM", "CerebralCortex")]
            found = expected[[names.index(name) for name in beside if name in names]].sum(axis=0)
            expected[names.index(ventricle)] += np.float32(WIDE_VENTRICLES) * found


def _tell(mixture: Mixture, explained: float) -> None:
    print(f"log likelihood of a voxel {explained:.4f}")
    for name in mixture.groups:
        print(f"{name}: mean {mixture.mean(name):.6g}, sd {mixture.sd(name):.6g}")


def _require_tissues(mixture: Mixture, image: str) -> None:
    means = [mixture.mean(name) for name in NEEDED]
    told = ", ".join(f"{name} {mean:.4g}" for name, mean in zip(("CSF", "GM", "WM"), means, strict=True))
    if not means[0] < means[1] < means[2]:
        raise ImageError(
            f"{image}: the tissues do not follow each other from dark to bright as on a T1w (means: {told}): the "
            "registration has failed, or this is no T1w.",
            remedy=REMEDY,
        )
    spread = np.sqrt((mixture.sd("GM") ** 2 + mixture.sd("WM") ** 2) / 2)
    if (means[2] - means[1]) / spread < FEWEST_SDS:
        raise ImageError(
            f"{image}: grey and white matter cannot be told apart (means: {told}; standard deviation {spread:.3g}).",
            remedy=REMEDY,
        )
