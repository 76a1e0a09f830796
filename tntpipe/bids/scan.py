"""A T1w scan of a raw BIDS dataset, and how its file name is read.

A name is taken apart pair by pair and every pair must be one that BIDS knows; the folder must agree with the name. So
no value that reaches an output name holds anything but letters, digits and ``+``. The file itself is not opened here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from tntpipe.bids.entities import DERIVATIVE_KEYS, LABEL, key_of, rank, raw_entities, shown

EXTENSIONS = (".nii.gz", ".nii")
SUFFIX = "_T1w"
NAMED_AT_MOST = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact about a file, folder or choice that selection leaves out, with what to do about it."""

    path: Path
    fact: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{shown(str(self.path))}: {self.fact} {self.remedy}".strip()


@dataclass(frozen=True, slots=True)
class Scan:
    """One T1w image: its file, and its entities (pybids' names and values as written) in BIDS order."""

    path: Path
    entities: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        names = [name for name, _ in self.entities]
        if not names or names[0] != "subject" or len(set(names)) != len(names):
            raise ValueError(f"a scan has a subject first and each entity once, not {self.entities}")
        if names != sorted(names, key=lambda name: rank(key_of(name))):
            raise ValueError(f"entities are not in BIDS order: {self.entities}")
        if not all(LABEL.fullmatch(value) for _, value in self.entities):
            raise ValueError(f"not a BIDS label in {self.entities}")

    def get(self, entity: str) -> str | None:
        """Value of an entity, None if the scan lacks it."""
        return dict(self.entities).get(entity)

    @property
    def subject(self) -> str:
        return self.entities[0][1]

    @property
    def session(self) -> str | None:
        return self.get("session")

    @property
    def acquisition(self) -> str | None:
        return self.get("acquisition")

    @property
    def reconstruction(self) -> str | None:
        return self.get("reconstruction")

    @property
    def run(self) -> str | None:
        return self.get("run")

    @property
    def extension(self) -> str:
        return next(extension for extension in EXTENSIONS if self.path.name.endswith(extension))

    @property
    def key(self) -> str:
        """Unique name of the scan in its dataset, e.g. ``sub-01_ses-02_run-1``: what every output name starts with."""
        return "_".join(f"{key_of(name)}-{value}" for name, value in self.entities)

    @property
    def folder(self) -> PurePosixPath:
        """Folder in the dataset, and of its derivatives: ``sub-01/ses-02/anat``."""
        return _folder(self.subject, self.session)

    @property
    def dataset_path(self) -> PurePosixPath:
        """The file relative to its dataset."""
        return self.folder / self.path.name


@lru_cache(maxsize=64)  # asked for some sixty names in a row
def _folder(subject: str, session: str | None) -> PurePosixPath:
    return PurePosixPath(f"sub-{subject}", *(() if session is None else (f"ses-{session}",)), "anat")


def is_candidate(name: str) -> bool:
    """Whether a file in an ``anat`` folder is named as a T1w image is (``._…`` are macOS's shadow files).

    >>> is_candidate("sub-01_T1w.nii.gz"), is_candidate("sub-01_T1w.json"), is_candidate("._sub-01_T1w.nii")
    (True, False, False)
    """
    return name.endswith(tuple(SUFFIX + extension for extension in EXTENSIONS)) and not name.startswith(".")


def is_uniform(name: str) -> bool:
    """Whether a file is the UNI image of an MP2RAGE, by its name.

    >>> is_uniform("sub-01_UNIT1.nii.gz"), is_uniform("sub-01_T1w.nii.gz")
    (True, False)
    """
    return name.endswith(("_UNIT1.nii.gz", "_UNIT1.nii")) and not name.startswith(".")


def some(names: Sequence[str]) -> str:
    """Names for a message, the first few of many."""
    more = len(names) - NAMED_AT_MOST
    return ", ".join(map(shown, names[:NAMED_AT_MOST])) + (f" and {more} more" if more > 0 else "")


def scan_of(path: Path, subject: str, session: str | None) -> Scan | Finding:
    """The scan in a candidate file of the folder of ``subject`` and ``session``, or why it cannot be one."""
    stem = path.name[: path.name.rindex(SUFFIX)]
    found: dict[str, tuple[str, str]] = {}
    for pair in stem.split("_"):
        key, dash, value = pair.partition("-")
        entity = raw_entities().get(key)
        if entity is None or not dash or not entity[1].fullmatch(f"/{pair}") or not LABEL.fullmatch(value):
            return Finding(path, f"{shown(pair)!r} in its name is no BIDS entity.", "Rename the file.")
        if key in found:
            return Finding(path, f"its name gives {key!r} twice.", "Rename the file.")
        found[key] = (entity[0], value)
    if dict(found.values()).get("subject") != subject or dict(found.values()).get("session") != session:
        return Finding(path, "its name and its folder disagree about subject or session.", "Rename or move it.")
    return Scan(path, tuple(found[key] for key in sorted(found, key=rank)))


def why_no_head(name: str) -> str | None:
    """Why a file named like a T1w image is not a raw picture of a head: a derivative, or a part that is not magnitude.

    >>> why_no_head("sub-01_space-MNI_desc-preproc_T1w.nii.gz")
    "a derivative ('space-MNI'), not a raw T1w."
    >>> why_no_head("sub-01_acq-space_T1w.nii.gz")
    """
    for pair in name.split("_"):
        key, dash, value = pair.partition("-")
        if dash and key in DERIVATIVE_KEYS:
            return f"a derivative ({pair!r}), not a raw T1w."
        if key == "part" and value in ("phase", "real", "imag"):
            return f"the {value} part of a complex image, not its magnitude."
    return None
