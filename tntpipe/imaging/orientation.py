"""The orientation of a NIfTI image: where it lies when its header says so twice, once or not at all.

Refuses to guess: an image without any orientation, or whose sform shears (which no qform can express), is an error.
Checks and steps both ask `one_form`, so that they cannot place an image differently.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tntpipe.errors import ImageError
from tntpipe.imaging.volumes import Affine, grid_distance

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

MAX_SHEAR_ANGLE = 1e-4
"""Radians. Writing an oblique sform as text with five decimals makes up to 7e-5 for voxels of 0.2 mm and 1.4e-5 for
those of 1 mm (the largest of 20 000 random turns each); rounding it to 32 bits makes about 1e-7. It moves no voxel of a
head of 250 mm by more than 0.025 mm. The reference pipeline's limit is 1e-6."""

NOTICEABLE_VOXELS = 0.1
"""A qform and sform that lie this far apart at a corner are said to differ; below it they differ by rounding."""

SCANNER_ANAT = 1
"""Code of a form that says where the voxels lie in the scanner: nothing but turned and shifted."""  # nifti1.h

LARGEST_CODE = 5
"""NIFTI_XFORM_TEMPLATE_OTHER."""  # nifti1.h

MOST_TURNED = np.pi / 4
"""Radians between the axes of two forms: beyond, the head is upright in one of them at most, and registration cannot
find it in the other. Heads lie in scanners, and in the spaces that they were aligned to, within some 30° of upright."""

SAME_SIZE = 0.01
"""Relative difference of voxel sizes between two forms that rounding explains."""

MOST_DISTANT_MM = 1e5
"""From the origin: further away, 32-bit coordinates are coarser than a hundredth of a millimetre."""

HALF_TURN_W2 = 4e-7
"""Squared real part of a quaternion below which nibabel takes it for 0 (3 float32 epsilons) while ITK uses its root."""

LONGEST_QUATERNION = 1e-4
"""By how much the squares of a quaternion's three parts may exceed 1 in sum: what four decimals lose. ITK shortens any
such quaternion to 1, which makes it a half turn; so do we within this."""

ROUNDING_W2 = 1e-7
"""Below 0 by no more than this, a squared real part is one of an exact half turn in 32 bits."""

HEAD_MM = 250

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
    """The affine (voxels to world mm, RAS) that the image will be processed with: that of `one_form`."""
    return np.asarray(one_form(header, path, max_shear_angle).get_qform(), dtype=np.float64)


def one_form(header: Nifti1Header, path: str | Path, max_shear_angle: float = MAX_SHEAR_ANGLE) -> Nifti1Header:
    """A fresh header that holds one orientation, as a qform: that of ``header``, else its sform. Nothing else is in it.

    Raises
    ------
    ImageError
        Neither form is set, or one by a code that means nothing; the one that counts is singular, not finite or far
        away; both are set and contradict each other about left and right, upright or the scanner's voxel sizes; or only
        the sform is set and it shears by more than ``max_shear_angle`` radians.
    """
    from nibabel.nifti1 import Nifti1Header
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
    fresh = Nifti1Header()
    try:
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused below
            if form == "qform":
                _copy_qform(header, fresh, path)
                affine = np.asarray(fresh.get_qform(), dtype=np.float64)
            else:
                affine = np.asarray(header.get_sform(), dtype=np.float64)
    except (HeaderDataError, ValueError) as error:
        raise ImageError(f"{path}: its {form} is invalid ({error}).", remedy=_REMEDY) from error
    _require_sound(affine, form, path)
    if form == "qform":
        if header["sform_code"] > 0:
            _require_same_hand(header, affine, path)
        return fresh
    if (angle := shear_angle(affine)) > max_shear_angle:
        raise ImageError(
            f"{path}: only its sform is set, and it shears the voxel axes by {angle:.3g} rad, where a qform holds none "
            f"(limit {max_shear_angle:g} rad).",
            remedy=f"Resample the scan to a grid with right angles, or raise the limit (--max_shear_angle): voxels at "
            f"the ends of a head of {HEAD_MM} mm move by up to {HEAD_MM * angle:.2g} mm.",
        )
    fresh.set_qform(affine, code=int(header["sform_code"]))
    settle_half_turn(fresh)
    return fresh


def warnings_of_forms(header: Nifti1Header, shape: tuple[int, ...], affine: Affine) -> tuple[str, ...]:
    """What to know of an image whose sform places it elsewhere than ``affine``, which it will be processed with."""
    if header["qform_code"] <= 0 or header["sform_code"] <= 0:
        return ()
    sform = np.asarray(header.get_sform(), dtype=np.float64)
    if not np.isfinite(sform).all() or not np.linalg.norm(sform[:3, :3], axis=0).all():
        return ("its sform is no orientation and is dropped; the qform is kept",)
    distance_mm = grid_distance(shape, affine, sform)
    if distance_mm <= NOTICEABLE_VOXELS * np.linalg.norm(affine[:3, :3], axis=0).min():
        return ()
    return (f"its qform and sform place the image up to {distance_mm:.1f} mm apart; the qform is kept",)


_REMEDY = "Convert the scan from DICOM again, or repair its header."


def qfac(header: Nifti1Header) -> float:
    """The handedness that ``pixdim[0]`` stands for; nifti1_io.c reads everything but a negative number as 1."""
    return -1.0 if header["pixdim"][0] < 0 else 1.0


def _copy_qform(header: Nifti1Header, fresh: Nifti1Header, path: str | Path) -> None:
    """Copy the fields of a qform, the quaternion shortened to 1 as ITK does where it is a little longer."""
    squares = sum(float(header[field]) ** 2 for field in QFORM_FIELDS[1:4])
    if squares > 1 + LONGEST_QUATERNION:
        raise ImageError(
            f"{path}: its qform is invalid: its quaternion has the length {np.sqrt(squares):.5g}, where 1 is the most.",
            remedy=_REMEDY,
        )
    fresh["pixdim"][:4] = header["pixdim"][:4]
    for field in QFORM_FIELDS:
        fresh[field] = header[field]
    fresh["pixdim"][0] = qfac(header)
    settle_half_turn(fresh)


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
    """Refuse an image whose two forms cannot both be true, since nobody can tell which one is.

    An sform that is no sound one says nothing, and is dropped with the others.
    """
    sform = np.asarray(header.get_sform(), dtype=np.float64)[:3, :3]
    if not np.isfinite(sform).all() or not np.linalg.norm(sform, axis=0).all():
        return
    remedy = "Make both agree, after a look at which one is right; or convert the scan from DICOM again."
    if np.linalg.det(sform) * np.linalg.det(qform[:3, :3]) < 0:
        raise ImageError(f"{path}: its qform and its sform mirror each other: left and right differ.", remedy=remedy)
    sizes, others = np.linalg.norm(qform[:3, :3], axis=0), np.linalg.norm(sform, axis=0)
    angle = _turn_between(qform[:3, :3] / sizes, sform / others)
    if angle > MOST_TURNED:
        raise ImageError(
            f"{path}: its qform and its sform are turned against each other by {np.degrees(angle):.0f}° (limit "
            f"{np.degrees(MOST_TURNED):.0f}°): the head can be upright in one of them only.",
            remedy="Look at the scan in a viewer that shows either, and set the code of the wrong one to 0 "
            "(docs/usage.md shows how); or convert the scan from DICOM again.",
        )
    if header["sform_code"] == SCANNER_ANAT and not np.allclose(sizes, others, rtol=SAME_SIZE):
        texts = ["×".join(f"{size:.3g}" for size in three) for three in (sizes, others)]
        raise ImageError(
            f"{path}: its qform gives it voxels of {texts[0]} mm, its sform of {texts[1]} mm.", remedy=remedy
        )


def _turn_between(a: Affine, b: Affine) -> float:
    """Radians by which one set of axes (3, 3), of length 1, is turned against another."""
    u, _, v = np.linalg.svd(a.T @ b)
    return float(np.arccos(np.clip((np.trace(u @ v) - 1) / 2, -1, 1)))


def settle_half_turn(header: Nifti1Header) -> None:
    """Make a rotation within rounding of a half turn, or a little beyond it, exactly that.

    Within, nibabel and ITK read it 0.001 rad apart; beyond, nibabel refuses it and ITK shortens the quaternion.
    """
    parts = np.array([header[field] for field in QFORM_FIELDS[1:4]], dtype=np.float64)
    w2 = 1 - parts @ parts
    if 0 < w2 < HALF_TURN_W2 or w2 < -ROUNDING_W2:
        parts = (parts / np.linalg.norm(parts)).astype(np.float32)
        largest = np.argmax(np.abs(parts))
        while 1 - parts.astype(np.float64) @ parts.astype(np.float64) > 0:
            parts[largest] = np.nextafter(parts[largest], np.float32(2) * np.sign(parts[largest]))
        for field, part in zip(QFORM_FIELDS[1:4], parts, strict=True):
            header[field] = part
