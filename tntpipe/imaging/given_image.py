"""An image that somebody gave, opened by the facts of its header: checks and steps read such a file in this one way.

Decides nothing: where the image lies, what type its voxels have and where they begin is what :mod:`facts` says, not
what nibabel would make of the same header. What our own steps have written is read by :func:`volumes.load`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tntpipe.imaging.facts import ImageFacts, read_facts

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Image


def load_given(path: str | Path, max_shear_angle: float) -> Nifti1Image:
    """Open the image at ``path``; its voxels are read when they are asked for.

    Raises
    ------
    ImageError
        As `read_facts` does.
    """
    return image_of(read_facts(path, max_shear_angle))


def image_of(facts: ImageFacts) -> Nifti1Image:
    """The image that has these facts, with a header that holds a qform and no more; 4-D where there are volumes."""
    from nibabel.arrayproxy import ArrayProxy
    from nibabel.nifti1 import Nifti1Image

    shape = facts.shape if facts.n_volumes == 1 else (*facts.shape, facts.n_volumes)
    spec = (shape, np.dtype(facts.dtype), facts.data_offset_bytes, facts.slope, facts.intercept)
    header = facts.form.copy()
    header.set_data_dtype(np.dtype(facts.dtype))
    return Nifti1Image(ArrayProxy(str(facts.path), spec), np.array(facts.affine), header)
