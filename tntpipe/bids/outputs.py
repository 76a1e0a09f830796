"""Every derivative of a scan that tntpipe writes: its name, and which table or sidecar stands beside it.

This is the one list of output names. Steps ask it where a file goes; it knows no step and no file's content.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from tntpipe.bids.naming import derivative_path
from tntpipe.bids.scan import Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivative:
    """A kind of output file: suffix, extension, and the entities that are its own."""

    suffix: str
    extension: str = ".nii.gz"
    entities: tuple[tuple[str, str], ...]

    def path(self, scan: Scan) -> PurePosixPath:
        """Where the file of this scan goes, relative to the output folder."""
        return derivative_path(scan, self.suffix, self.extension, **dict(self.entities))

    def sidecar(self, scan: Scan) -> PurePosixPath:
        """The JSON file beside it."""
        return derivative_path(scan, self.suffix, ".json", **dict(self.entities))

    def label_table(self, scan: Scan) -> PurePosixPath:
        """The table of labels beside a segmentation."""
        return derivative_path(scan, self.suffix, ".tsv", **dict(self.entities))


_OURS = re.compile(
    r"(?:desc-(?:qform|nucor|preproc|warped[0-9A-Za-z+]+)_T1w"
    r"|(?:desc-brain|desc-warpedmodelbrain|label-ICV)_(?:mask|stats)"
    r"|label-(?:GM|WM|CSF)_probseg"
    r"|(?:atlas-[0-9A-Za-z+]+_)?seg-(?:tissue|lobes|tissuelobes|subcortex|structures)_(?:dseg|stats|features)"
    r"|from-[0-9A-Za-z+]+_to-[0-9A-Za-z+]+_mode-image(?:_desc-linear)?_xfm)"
    r"\.(?:nii\.gz|json|tsv|mat|h5)"
)


def is_derivative(end: str) -> bool:
    """Whether this, behind the name of a scan, is the name of a derivative, of this version or of an older one.

    >>> is_derivative("from-MNI_to-T1w_mode-image_xfm.h5"), is_derivative("desc-mine_mask.nii.gz")
    (True, False)
    """
    return _OURS.fullmatch(end) is not None


def image(suffix: str, **entities: str) -> Derivative:
    """A kind of image."""
    return Derivative(suffix=suffix, entities=tuple(entities.items()))


def table(suffix: str, **entities: str) -> Derivative:
    """A kind of table, whose sidecar describes its columns."""
    return Derivative(suffix=suffix, extension=".tsv", entities=tuple(entities.items()))


CLEAN_T1W = image("T1w", desc="qform")
NUCOR_T1W = image("T1w", desc="nucor")
PREPROC_T1W = image("T1w", desc="preproc")
WARPED_MODEL = image("T1w", desc="warpedmodel")

BRAIN_MASK = image("mask", desc="brain")
WARPED_MODEL_BRAIN_MASK = image("mask", desc="warpedmodelbrain")
INTRACRANIAL_MASK = image("mask", label="ICV")

TISSUE_DSEG = image("dseg", seg="tissue")
LOBES_DSEG = image("dseg", seg="lobes")
TISSUELOBES_DSEG = image("dseg", seg="tissuelobes")

TISSUE_FEATURES = table("features", seg="tissue")
TISSUELOBES_STATS = table("stats", seg="tissuelobes")
BRAIN_STATS = table("stats", desc="brain")
WARPED_MODEL_BRAIN_STATS = table("stats", desc="warpedmodelbrain")
TISSUE_STATS = table("stats", seg="tissue")
INTRACRANIAL_STATS = table("stats", label="ICV")


def probseg(tissue: str) -> Derivative:
    """The probability of one tissue: ``GM``, ``WM`` or ``CSF``."""
    return image("probseg", label=tissue)


def subcortex_dseg(atlas: str) -> Derivative:
    """Labels of the nuclei, by the atlas they come from."""
    return image("dseg", atlas=atlas, seg="subcortex")


def structures_dseg(atlas: str) -> Derivative:
    """Every structure of an atlas with probabilities, ventricles and cortex among them."""
    return image("dseg", atlas=atlas, seg="structures")


def subcortex_stats(atlas: str) -> Derivative:
    """Statistics of the nuclei."""
    return table("stats", atlas=atlas, seg="subcortex")


def warped_subcortical_model(model: str) -> Derivative:
    """The second model on the scan; its name keeps it apart from the first one."""
    return image("T1w", desc=f"warped{model}")


def transform(from_: str, to: str, *, linear: bool = False) -> Derivative:
    """A transform that carries images of space ``from_`` to space ``to``; ``T1w`` is the scan. A NIfTI image of
    displacements; the ``linear`` part alone is an affine file of ANTs."""
    desc = (("desc", "linear"),) if linear else ()
    return Derivative(
        suffix="xfm",
        extension=".mat" if linear else ".nii.gz",
        entities=(("from", from_), ("to", to), ("mode", "image"), *desc),
    )
