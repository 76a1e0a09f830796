"""Whether an image or a transform is all there, from a few bytes at its two ends.

ANTs ends without an error when the disk is full, and leaves a file that is cut short. A compressed image says at its
beginning how many bytes its voxels take, and at its end how many bytes were compressed; an affine transform is two
matrices, each of which says how large it is. Knows nothing of what the voxels mean.
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

N_MATRICES = 2
"""In an affine transform as ITK writes it (MATLAB level 4): the transform's parameters, and its centre."""
CHUNK_BYTES = 1 << 20


def missing_from(path: Path) -> str:
    """What is missing, in words; nothing where the file is whole or of a kind that does not tell."""
    if path.name.endswith(".nii.gz"):
        return _missing_from_image(path)
    if path.name.endswith(".mat"):
        return _missing_from_matrices(path.read_bytes())
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


def _missing_from_matrices(content: bytes) -> str:
    place = 0
    for number in range(1, N_MATRICES + 1):
        if len(content) < place + 20:
            return f"it ends in the header of matrix {number} of {N_MATRICES}"
        kind, rows, columns, _, name_bytes = struct.unpack_from("<5i", content, place)
        value_bytes = 4 if kind // 10 % 10 == 1 else 8
        place += 20 + name_bytes + rows * columns * value_bytes
        if len(content) < place:
            return f"it holds {len(content)} bytes, and matrix {number} of {N_MATRICES} ends at {place}"
    return ""
