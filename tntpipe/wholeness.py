"""Whether an image or a transform is all there, from a few bytes at its two ends.

ANTs ends without an error when the disk is full, and leaves a file that is cut short. A compressed image says at its
beginning how many bytes its voxels take, and at its end how many bytes were compressed; an HDF5 file says at its
beginning where it ends. Knows nothing of what the voxels mean.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

HEAD_BYTES = 544
"""Enough for the header of NIfTI-1 (348 bytes) and of NIfTI-2 (540)."""

_HEADERS = (
    (348, ("8h", 40), ("h", 72), ("f", 108)),
    (540, ("8q", 16), ("h", 14), ("q", 168)),
)
"""Of both versions: the length that a header begins with, and where the axes, bits a voxel and offset of the voxels
are."""

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
CHUNK_BYTES = 1 << 20


def missing_from(path: Path) -> str:
    """What is missing, in words; nothing where the file is whole or of a kind that does not tell."""
    if path.name.endswith(".nii.gz"):
        return _missing_from_image(path)
    if path.name.endswith(".h5"):
        return _missing_from_hdf5(path)
    return ""


def _missing_from_image(path: Path) -> str:
    try:
        with gzip.open(path) as file:
            expected = _image_bytes(file.read(HEAD_BYTES))
    except (OSError, EOFError, zlib.error):
        return "it is no compressed image, or ends in its header"
    if expected is None:
        return "it has no header of an image"
    with path.open("rb") as raw:
        raw.seek(-4, 2)
        if int.from_bytes(raw.read(4), "little") == expected % 2**32:
            return ""
    found = _count(path)  # a file of several compressed pieces says only how long the last one is
    return "" if found >= expected else f"it holds {found} of {expected} bytes"


def _image_bytes(head: bytes) -> int | None:
    """The length of a NIfTI file, header and voxels, as its header says it."""
    for order in "<>":
        for length, axes, bits, offset in _HEADERS:
            if len(head) >= length and _field(head, order, "i", 0) == length:
                n_axes, *lengths = struct.unpack_from(order + axes[0], head, axes[1])
                n_voxels = math.prod(lengths[: max(0, n_axes)])
                return int(_field(head, order, *offset) + n_voxels * _field(head, order, *bits) // 8)
    return None


def _field(head: bytes, order: str, kind: str, place: int) -> float:
    value: float = struct.unpack_from(order + kind, head, place)[0]
    return value


def _count(path: Path) -> int:
    """How many bytes can be read."""
    n_bytes = 0
    try:
        with gzip.open(path) as file:
            while chunk := file.read(CHUNK_BYTES):
                n_bytes += len(chunk)
    except (OSError, EOFError, zlib.error):
        pass
    return n_bytes


def _missing_from_hdf5(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
    if not head.startswith(HDF5_SIGNATURE) or len(head) < 48:
        return "it has no header of an HDF5 file"
    version, offset_bytes = head[8], head[13] if head[8] < 2 else head[9]
    start = (24 if version == 0 else 28) + 2 * offset_bytes if version < 2 else 12 + 2 * offset_bytes
    end = int.from_bytes(head[start : start + offset_bytes], "little")
    return "" if size >= end else f"it holds {size} of {end} bytes"
