"""``.bidsignore``: the files that the owner of a dataset says are no part of it, by the patterns of ``.gitignore``.

Decides by names alone. As in git, the last pattern that fits counts, ``!`` takes one back, and nothing below a folder
that is left out can be taken back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

IGNORE_FILE = ".bidsignore"


@dataclass(frozen=True, slots=True)
class _Pattern:
    regex: re.Pattern[str]
    folders_only: bool
    takes_back: bool


@dataclass(frozen=True, slots=True)
class Ignored:
    """What a dataset's patterns leave out; without any, nothing."""

    patterns: tuple[_Pattern, ...] = ()

    def __contains__(self, path: PurePosixPath) -> bool:
        """Whether a file, relative to its dataset, or a folder that it lies in is left out.

        >>> PurePosixPath("sub-01/anat/sub-01_T1w.nii.gz") in ignored_of("sub-01/")
        True
        >>> PurePosixPath("sub-01/anat/sub-01_T1w.nii.gz") in ignored_of("*_T1w.nii")
        False
        """
        if not self.patterns:
            return False
        folders = [folder for folder in reversed(path.parents) if folder.parts]
        return any(self._hides(folder, is_folder=True) for folder in folders) or self._hides(path, is_folder=False)

    def _hides(self, path: PurePosixPath, *, is_folder: bool) -> bool:
        hidden = False
        for pattern in self.patterns:
            if (is_folder or not pattern.folders_only) and pattern.regex.fullmatch(str(path)):
                hidden = not pattern.takes_back
        return hidden


def read_ignored(root: Path) -> Ignored:
    """The patterns of a dataset; none where it has no file of them that can be read."""
    path = root / IGNORE_FILE
    try:
        return ignored_of(path.read_text(encoding="utf-8-sig", errors="replace")) if path.is_file() else Ignored()
    except OSError:
        return Ignored()


def ignored_of(text: str) -> Ignored:
    """The patterns in a file's text, one a line; ``#`` begins a comment."""
    lines = (line.strip() for line in text.splitlines())
    return Ignored(tuple(_pattern(line) for line in lines if line.strip("!/") and not line.startswith("#")))


def _pattern(line: str) -> _Pattern:
    takes_back = line.startswith("!")
    glob = line.removeprefix("!")
    folders_only, glob = glob.endswith("/"), glob.strip("/") if "/" not in glob.rstrip("/") else glob.rstrip("/")
    start = "" if "/" in glob else "(?:.*/)?"
    return _Pattern(re.compile(start + _regex(glob.removeprefix("/")), re.DOTALL), folders_only, takes_back)


_PARTS = re.compile(r"\*\*/|/\*\*$|\*+|\?|\[[!^]?\]?[^\]/]*\]|.", re.DOTALL)


def _regex(glob: str) -> str:
    """The regular expression of a pattern without its leading slash."""
    whole = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "?": "[^/]"}
    words = []
    for part in _PARTS.findall(glob):
        if part in whole:
            words.append(whole[part])
        elif part.startswith("*"):
            words.append("[^/]*")
        elif len(part) > 1 and part.startswith("["):
            words.append(_characters(part))
        else:
            words.append(re.escape(part))
    return "".join(words)


def _characters(part: str) -> str:
    """A class of characters; one that makes no sense (``[z-a]``) stands for itself."""
    negated, inside = part[1] in "!^", part[2:-1] if part[1] in "!^" else part[1:-1]
    text = inside.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace("^", "\\^")
    made = f"[{'^/' if negated else ''}{text}]"
    try:
        re.compile(made)
    except re.error:
        return re.escape(part)
    return made
