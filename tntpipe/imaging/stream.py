"""All voxels of an image, read once from beginning to end in small slabs.

Decides whether the data are whole; keeps a count and a range, never the image.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from tntpipe.errors import ImageError
from tntpipe.imaging.facts import RECONVERT, ImageFacts, open_image, require_whole

SLAB_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class VoxelRange:
    """How many voxels are finite, and the smallest and largest of those (NaN where there is none)."""

    n_finite: int
    minimum: float
    maximum: float


def voxel_range(facts: ImageFacts) -> VoxelRange:
    """Read every voxel; ImageError where the file ends early or its compression is damaged."""
    n_finite, minimum, maximum = 0, np.inf, -np.inf
    found_bytes = 0
    dtype = np.dtype(facts.dtype)
    slab_bytes = SLAB_BYTES - SLAB_BYTES % dtype.itemsize
    try:
        with open_image(facts.path) as file:
            file.seek(facts.data_offset_bytes)
            while slab := file.read(min(slab_bytes, facts.data_bytes - found_bytes)):
                found_bytes += len(slab)
                values = np.frombuffer(slab[: len(slab) - len(slab) % dtype.itemsize], dtype)
                if dtype.kind == "f":
                    values = values[np.isfinite(values)]
                if values.size:
                    n_finite += values.size
                    minimum, maximum = min(minimum, values.min()), max(maximum, values.max())
            while file.read(SLAB_BYTES):  # to the end, where gzip keeps its check sum
                pass
    except EOFError:
        require_whole(facts, found_bytes)
        raise ImageError(f"{facts.path}: the compressed file ends early.", remedy=RECONVERT) from None
    except (OSError, zlib.error) as error:
        raise ImageError(f"{facts.path}: its data are corrupt ({error}).", remedy=RECONVERT) from error
    require_whole(facts, found_bytes)
    if not n_finite:
        return VoxelRange(0, np.nan, np.nan)
    ends = sorted(facts.slope * float(end) + facts.intercept for end in (minimum, maximum))
    return VoxelRange(n_finite, ends[0], ends[1])
