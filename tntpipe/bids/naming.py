"""Names of derivative files: the entities of the scan they come from, then their own, in the order of BIDS.

A name made here never leaves the output folder, since every value is letters, digits and ``+``. Which derivatives there
are, and whether the file exists, is not known here.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import PurePosixPath

from tntpipe.bids.entities import KEY_ORDER, LABEL, key_of, rank
from tntpipe.bids.scan import Scan
from tntpipe.errors import UsageError

_EXTENSION = re.compile(r"(\.[0-9a-zA-Z]+)+")


def derivative_name(scan: Scan, suffix: str, extension: str, **entities: str) -> str:
    """File name of a derivative; ``entities`` by their short keys, with ``from_`` for Python's reserved word.

    >>> from pathlib import Path
    >>> scan = Scan(Path("sub-01_run-2_T1w.nii"), (("subject", "01"), ("run", "2")))
    >>> derivative_name(scan, "T1w", ".nii.gz", desc="nucor")
    'sub-01_run-2_desc-nucor_T1w.nii.gz'
    >>> derivative_name(scan, "xfm", ".nii.gz", from_="T1w", to="MNI", mode="image")
    'sub-01_run-2_from-T1w_to-MNI_mode-image_xfm.nii.gz'

    Raises
    ------
    UsageError
        If a value, such as the name of a user's model, cannot stand in a file name.
    ValueError
        If a key is no BIDS entity or is already the scan's, or if suffix or extension are none.
    """
    if not LABEL.fullmatch(suffix) or not _EXTENSION.fullmatch(extension):
        raise ValueError(f"{suffix!r} and {extension!r} are no BIDS suffix and extension")
    pairs = {key_of(name): value for name, value in scan.entities}
    for key, value in _own_pairs(tuple(entities.items())):
        if key in pairs:
            raise ValueError(f"{key!r} cannot be added to {scan.key}")
        pairs[key] = value
    return "_".join((*(f"{key}-{pairs[key]}" for key in sorted(pairs, key=rank)), f"{suffix}{extension}"))


@cache  # the same few for every scan
def _own_pairs(entities: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Short keys and values that are a derivative's own, checked."""
    for given, value in entities:
        if given.rstrip("_") not in KEY_ORDER:
            raise ValueError(f"{given!r} is no BIDS entity")
        if not LABEL.fullmatch(value):
            raise UsageError(
                f"{value!r} cannot stand in a file name as {given.rstrip('_')!r}.",
                remedy="Use letters A-Z, digits and '+' only.",
            )
    return tuple((given.rstrip("_"), value) for given, value in entities)


def derivative_path(scan: Scan, suffix: str, extension: str, **entities: str) -> PurePosixPath:
    """Path of a derivative in the output folder, under ``sub-…[/ses-…]/anat``."""
    return scan.folder / derivative_name(scan, suffix, extension, **entities)
