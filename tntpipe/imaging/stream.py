"""All voxels of an image, read once from beginning to end in small slabs.

Decides whether the data are whole; keeps a count and a range, never the image.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError
from tntpipe.imaging.facts import ImageFacts, open_image, require_size
from tntpipe.imaging.foreign import RECONVERT

SLAB_BYTES = 2**20
MOST_COUNTED = 64
"""Different values are counted no further."""


@dataclass(frozen=True, slots=True)
class VoxelRange:
    """How many voxels are finite, the smallest and largest of those (NaN where there is none), and how many different
    values they have, up to `MOST_COUNTED`."""

    n_finite: int
    minimum: float
    maximum: float
    n_values: int


def voxel_range(facts: ImageFacts) -> VoxelRange:
    """Read every voxel; ImageError where the file ends early, goes on for more than a slice, or is damaged."""
    n_finite, minimum, maximum = 0, np.inf, -np.inf
    different: set[float] = set()
    for values in _slabs(facts):
        if values.size:
            n_finite += values.size
            low, high = values.min(), values.max()
            minimum, maximum = min(minimum, low), max(maximum, high)
            if len(different) < MOST_COUNTED:
                different.update({low} if low == high else np.unique(values)[:MOST_COUNTED].tolist())
    if not n_finite:
        return VoxelRange(0, np.nan, np.nan, 0)
    ends = sorted(facts.slope * float(end) + facts.intercept for end in (minimum, maximum))
    return VoxelRange(n_finite, ends[0], ends[1], min(len(different), MOST_COUNTED))


def _bytes_held(path: Path) -> int:
    """How many bytes a compressed file that ends early still holds, decompressed."""
    stream, n_bytes = zlib.decompressobj(zlib.MAX_WBITS | 16), 0
    with path.open("rb") as file:
        while block := file.read(SLAB_BYTES):
            n_bytes += len(stream.decompress(block))
    return n_bytes


def _slabs(facts: ImageFacts) -> Iterator[NDArray[Any]]:
    """The finite voxels as they are stored, slab by slab."""
    dtype = np.dtype(facts.dtype)
    slab_bytes = SLAB_BYTES - SLAB_BYTES % dtype.itemsize
    found_bytes = 0
    try:
        with open_image(facts.path) as file:
            file.seek(facts.data_offset_bytes)
            while slab := file.read(min(slab_bytes, facts.data_bytes - found_bytes)):
                found_bytes += len(slab)
                values = np.frombuffer(slab[: len(slab) - len(slab) % dtype.itemsize], dtype)
                yield values[np.isfinite(values)] if dtype.kind == "f" else values
            rest = facts.slice_bytes + facts.data_bytes - found_bytes
            while rest > 0 and (slab := file.read(min(SLAB_BYTES, rest))):  # to the end, where gzip has its check sum
                rest -= len(slab)
                found_bytes += len(slab)
    except EOFError:
        if found_bytes < facts.data_bytes:
            require_size(facts, _bytes_held(facts.path) - facts.data_offset_bytes)
        raise ImageError(f"{facts.path}: the compressed file ends early.", remedy=RECONVERT) from None
    except (OSError, zlib.error) as error:
        raise ImageError(f"{facts.path}: its data are corrupt ({error}).", remedy=RECONVERT) from error
    require_size(facts, found_bytes)
