"""What a listing of the participants' ``anat`` folders finds: scans by name, and names that are none.

Folders are listed and nothing is opened. A folder or link that cannot be followed is a Finding, never an exception.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tntpipe.bids.entities import LABEL
from tntpipe.bids.ignore import IGNORE_FILE, Ignored
from tntpipe.bids.scan import Finding, Scan, is_candidate, is_uniform, scan_of, some, why_no_head
from tntpipe.errors import DatasetError
from tntpipe.formatting import counted


@dataclass(slots=True)
class Survey:
    """Scans whose names can be read, files and folders that cannot be used, and those left out by design."""

    scans: list[Scan] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)
    notices: list[Finding] = field(default_factory=list)
    ignored: Ignored = field(default_factory=Ignored)
    skipped: list[Finding] = field(default_factory=list)
    """Of the notices, those about images."""
    hidden: list[str] = field(default_factory=list)
    uniform: list[str] = field(default_factory=list)
    """Names of images that the dataset's ``.bidsignore`` leaves out, and of MP2RAGE's that are no T1w."""

    def find_subjects(self, root: Path) -> dict[str, Path]:
        """Participant folders by label; a link that leads nowhere is one too, and is refused once it is chosen."""
        try:
            with os.scandir(root) as listing:
                names = sorted(entry.name for entry in listing if _may_be_subject(entry))
        except OSError as error:
            raise DatasetError(f"{root} cannot be listed: {error.strerror}.", remedy="Ask for permission.") from error
        strange = [name for name in names if not LABEL.fullmatch(name[4:])]
        self.notices += [Finding(root / name, "skipped: its name is not sub- and a BIDS label.") for name in strange]
        return {name[4:]: root / name for name in names if LABEL.fullmatch(name[4:])}

    def read_subject(self, folder: Path, subject: str, *, asked_for: bool) -> None:
        """Read the names of all T1w files of one participant, of whom one who was asked for must have some."""
        before, n_left_out = len(self.scans) + len(self.refused), self._n_left_out
        for name in self._listed(folder):
            if name == "anat":
                self._read_anat(folder / name, subject, None)
            elif name.startswith("ses-") and LABEL.fullmatch(name[4:]):
                self._read_session(folder / name, subject)
            elif name.startswith("ses-"):
                self.notices.append(Finding(folder / name, "skipped: its name is not ses- and a BIDS label."))
        if len(self.scans) + len(self.refused) == before:
            none = Finding(folder, "has no T1w image.", "Its name would end in _T1w.nii.gz or _T1w.nii, under anat.")
            if self._n_left_out > n_left_out:
                fact = "has no T1w image but such as are left out; the notices say why."
                none = Finding(folder, fact, "Leave the participant out, or put a whole raw T1w there.")
            (self.refused if asked_for else self.notices).append(none)

    @property
    def _n_left_out(self) -> int:
        return len(self.skipped) + len(self.hidden) + len(self.uniform)

    def left_out(self, root: Path) -> list[Finding]:
        """A notice for all images that ``.bidsignore`` hides, and one for all that are no T1w though MP2RAGE made
        them."""
        found = []
        if self.hidden:
            fact = f"leaves out {counted(len(self.hidden), 'T1w image')}: {some(self.hidden)}."
            found.append(Finding(root / IGNORE_FILE, fact, "Take the pattern out of it if they are to be read."))
        if self.uniform:
            fact = f"{counted(len(self.uniform), '_UNIT1 image')} (MP2RAGE) left out: {some(self.uniform)}."
            remedy = "Only _T1w images are read: denoise them (UNI-DEN), and name them _T1w in a copy of the dataset."
            found.append(Finding(root, fact, remedy))
        return found

    def _read_session(self, folder: Path, subject: str) -> None:
        if folder.is_symlink() and (finding := why_unusable(folder, stat.S_ISDIR)):
            self.refused.append(finding)
        else:
            self._read_anat(folder / "anat", subject, folder.name[4:])

    def _read_anat(self, folder: Path, subject: str, session: str | None) -> None:
        names = self._listed(folder)
        self.uniform += [name for name in names if is_uniform(name)]
        place = PurePosixPath(f"sub-{subject}", *(() if session is None else (f"ses-{session}",)), "anat")
        for name in filter(is_candidate, names):
            if place / name in self.ignored:
                self.hidden.append(name)
                continue
            if why := why_no_head(name):
                self.skipped.append(Finding(folder / name, f"skipped: {why}"))
                self.notices.append(self.skipped[-1])
                continue
            scan = scan_of(folder / name, subject, session)
            if isinstance(scan, Scan):
                self.scans.append(scan)
            else:
                self.refused.append(scan)

    def _listed(self, folder: Path) -> list[str]:
        """Sorted names in a folder; none if there is no such folder, none and refused if it cannot be listed."""
        try:
            with os.scandir(folder) as listing:
                return sorted(entry.name for entry in listing)
        except (FileNotFoundError, NotADirectoryError):
            finding = why_unusable(folder, stat.S_ISDIR) if folder.is_symlink() else None
        except OSError:
            finding = why_unusable(folder, stat.S_ISDIR) or Finding(folder, "cannot be listed.", "Ask for permission.")
        if finding is not None:
            self.refused.append(finding)
        return []


def _may_be_subject(entry: os.DirEntry[str]) -> bool:
    return entry.name.startswith("sub-") and (entry.is_symlink() or entry.is_dir())


def why_unusable(path: Path, is_right_kind: Callable[[int], bool]) -> Finding | None:
    """Why a path does not lead to what it should, by ``stat.S_ISREG`` or ``S_ISDIR``; None if it does."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return Finding(path, "is a symbolic link that leads to itself.", "Fix the link.")
        if not path.is_symlink():
            return Finding(path, f"cannot be used: {error.strerror}.", "Check its permissions.")
        target = str(path.readlink())
        remedy = "Fetch its content with `datalad get`." if ".git/annex/" in target else "Fix the link."
        return Finding(path, f"is a symbolic link to {target}, which cannot be followed: {error.strerror}.", remedy)
    if is_right_kind(mode):
        return None
    kind = "a folder" if stat.S_ISDIR(mode) else "a special file"
    return Finding(path, f"is {kind}, not an image.", "Put the image itself there.")
