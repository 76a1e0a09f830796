"""The orientation of a NIfTI image: where it lies when its header says so twice, once or not at all.

Refuses to guess: an image without any orientation, or whose sform shears (which no qform can express), is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tntpipe.errors import ImageError
from tntpipe.imaging.volumes import Affine, grid_distance

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

MAX_SHEAR_ANGLE = 1e-6
"""Radians; the reference pipeline's limit. Rounding an oblique sform to 32 bits makes about 1e-7."""

NOTICEABLE_VOXELS = 0.1
"""A qform and sform that lie this far apart at a corner are said to differ; below it they differ by rounding."""

SCANNER_ANAT = 1
"""Code of a form that says where the voxels lie in the scanner: nothing but turned and shifted."""  # nifti1.h

LARGEST_CODE = 5
"""NIFTI_XFORM_TEMPLATE_OTHER."""  # nifti1.h

SAME_SIZE = 0.01
"""Relative difference of voxel sizes between two forms that rounding explains."""

MOST_DISTANT_MM = 1e5
"""From the origin: further away, 32-bit coordinates are coarser than a hundredth of a millimetre."""

HALF_TURN_W2 = 4e-7
"""Squared real part of a quaternion below which nibabel takes it for 0 (3 float32 epsilons) while ITK uses its root."""

QFORM_FIELDS = ("qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")


def shear_angle(affine: Affine) -> float:
    """The largest deviation from a right angle between two voxel axes.

    Parameters
    ----------
    affine
        (4, 4), voxel indices to world mm; its three columns must not be zero.

    Returns
    -------
    float
        Radians, from 0 to π/2.

    Examples
    --------
    >>> shear_angle(np.diag([1.0, 1.0, 3.0, 1.0]))
    0.0
    >>> round(shear_angle(np.array([[1, 0.1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])), 6)
    0.099669
    """
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosines = np.abs(np.array([axes[:, 0] @ axes[:, 1], axes[:, 0] @ axes[:, 2], axes[:, 1] @ axes[:, 2]]))
    return float(np.arcsin(np.minimum(cosines, 1)).max())


def orientation(header: Nifti1Header, path: str | Path, max_shear_angle: float = MAX_SHEAR_ANGLE) -> Affine:
    """The affine (voxels to world mm, RAS) that the scan will be processed with: the qform, else the sform.

    Raises
    ------
    ImageError
        Neither form is set, or one by a code that means nothing; the one that counts is singular, not finite or far
        away; both are set and contradict each other about left and right or the scanner's voxel sizes; or only the
        sform is set and it shears by more than ``max_shear_angle`` radians.
    """
    from nibabel.spatialimages import HeaderDataError

    form = "qform" if header["qform_code"] > 0 else "sform"
    for name in ("qform_code", "sform_code"):
        if header[name] > LARGEST_CODE:  # nibabel and ITK do not agree on what it means
            raise ImageError(f"{path}: its {name} is {int(header[name])}, which means nothing.", remedy=_REMEDY)
    if form == "sform" and header["sform_code"] <= 0:
        raise ImageError(
            f"{path}: neither its qform nor its sform is set, so left and right cannot be told.",
            remedy="Convert the scan from DICOM again with a tool that keeps the orientation, such as dcm2niix.",
        )
    try:
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused below
            affine = np.asarray(_qform(header) if form == "qform" else header.get_sform(), dtype=np.float64)
    except (HeaderDataError, ValueError) as error:
        raise ImageError(f"{path}: its {form} is invalid ({error}).", remedy=_REMEDY) from error
    _require_sound(affine, form, path)
    if form == "qform" and header["sform_code"] > 0:
        _require_same_hand(header, affine, path)
    if form == "sform" and (angle := shear_angle(affine)) > max_shear_angle:
        raise ImageError(
            f"{path}: only its sform is set, and it shears the voxel axes by {angle:.3g} rad, where a qform holds none "
            f"(limit {max_shear_angle:g} rad).",
            remedy="Resample the scan to a grid with right angles, or raise the limit if the error is harmless.",
        )
    return affine


def warnings_of_forms(header: Nifti1Header, shape: tuple[int, ...], affine: Affine) -> tuple[str, ...]:
    """What to know of an image whose sform places it elsewhere than ``affine``, which it will be processed with."""
    if header["qform_code"] <= 0 or header["sform_code"] <= 0:
        return ()
    distance_mm = grid_distance(shape, affine, np.asarray(header.get_sform(), dtype=np.float64))
    if distance_mm <= NOTICEABLE_VOXELS * np.linalg.norm(affine[:3, :3], axis=0).min():
        return ()
    return (f"its qform and sform place the image up to {distance_mm:.1f} mm apart; the qform is kept",)


_REMEDY = "Convert the scan from DICOM again, or repair its header."


def qfac(header: Nifti1Header) -> float:
    """The handedness that ``pixdim[0]`` stands for; nifti1_io.c reads everything but a negative number as 1."""
    return -1.0 if header["pixdim"][0] < 0 else 1.0


def _qform(header: Nifti1Header) -> Affine:
    copied = header.copy()
    copied["pixdim"][0] = qfac(header)
    return np.asarray(copied.get_qform(), dtype=np.float64)


def _require_sound(affine: Affine, form: str, path: str | Path) -> None:
    if not np.isfinite(affine).all():
        raise ImageError(f"{path}: its {form} holds values that are no finite number.", remedy=_REMEDY)
    zooms = np.linalg.norm(affine[:3, :3], axis=0)
    # Of the volume that the same voxel would have with right angles: below this the three axes lie in a plane.
    if not zooms.all() or abs(np.linalg.det(affine[:3, :3] / zooms)) < 1e-3:
        raise ImageError(f"{path}: its {form} gives the voxels no volume.", remedy=_REMEDY)
    distance_mm = np.abs(affine[:3, 3]).max()
    if distance_mm > MOST_DISTANT_MM:
        raise ImageError(f"{path}: its {form} places it {distance_mm / 1000:.3g} m from the origin.", remedy=_REMEDY)


def _require_same_hand(header: Nifti1Header, qform: Affine, path: str | Path) -> None:
    """Refuse an image whose two forms cannot both be true, since nobody can tell which one is."""
    sform = np.asarray(header.get_sform(), dtype=np.float64)[:3, :3]
    remedy = "Make both agree, after a look at which one is right; or convert the scan from DICOM again."
    if np.linalg.det(sform) * np.linalg.det(qform[:3, :3]) < 0:
        raise ImageError(f"{path}: its qform and its sform mirror each other: left and right differ.", remedy=remedy)
    sizes, others = np.linalg.norm(qform[:3, :3], axis=0), np.linalg.norm(sform, axis=0)
    if header["sform_code"] == SCANNER_ANAT and not np.allclose(sizes, others, rtol=SAME_SIZE):
        texts = ["×".join(f"{size:.3g}" for size in three) for three in (sizes, others)]
        raise ImageError(
            f"{path}: its qform gives it voxels of {texts[0]} mm, its sform of {texts[1]} mm.", remedy=remedy
        )


def settle_half_turn(header: Nifti1Header) -> None:
    """Make a rotation within rounding of a half turn exactly that, where nibabel and ITK read it 0.001 rad apart."""
    parts = np.array([header[field] for field in QFORM_FIELDS[1:4]], dtype=np.float64)
    w2 = 1 - parts @ parts
    if 0 < w2 < HALF_TURN_W2:
        parts = (parts / np.linalg.norm(parts)).astype(np.float32)
        largest = np.argmax(np.abs(parts))
        while 1 - parts.astype(np.float64) @ parts.astype(np.float64) > 0:
            parts[largest] = np.nextafter(parts[largest], np.float32(2) * np.sign(parts[largest]))
        for field, part in zip(QFORM_FIELDS[1:4], parts, strict=True):
            header[field] = part
