"""The contents of files outside the work folder, known again by size and times, so that a large one is read once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from tntpipe.decoding import read_decoded
from tntpipe.files import sha256_of, write_json


@dataclass(frozen=True, slots=True)
class _Content:
    """The digest of a file that had this size, these times and this number."""

    stamp: list[int]
    sha256: str


HASHED_BYTES = 65536
"""Derivatives up to this size (the tables) are read each time, and not remembered."""


class ContentCache:
    """SHA-256 of files by path, size and times; a copy may keep the modification time, but never the change time.

    Other times mean that a file must be looked at again, not that it was changed: other permissions do as much.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = read_decoded(path, dict[str, _Content]) or {}
        self._fresh: dict[str, str] = {}

    def digest(self, path: Path) -> str:
        key = str(path)
        if key not in self._fresh:
            stamp = _stamp(path)
            known = self._known.get(key)
            if known is None or known.stamp != stamp:
                known = self._known[key] = _Content(stamp, sha256_of(path))
            self._fresh[key] = known.sha256
        return self._fresh[key]

    def is_unchanged(self, path: Path) -> bool:
        """Whether the file still has the content whose digest was given."""
        key = str(path)
        try:
            stamp = _stamp(path)
            if self._known[key].stamp != stamp:
                found = sha256_of(path)
                if found != self._known[key].sha256:
                    return False
                self._known[key] = _Content(stamp, found)
        except OSError:
            return False
        return True

    def digest_now(self, path: Path, size_bytes: int = -1, sha256: str = "") -> str:
        """Of a file that may be another one each time: a derivative.

        One of which no stamp is known, as after a copy, and that has the size, is taken for what was published.
        """
        stamp = _stamp(path)
        if stamp[0] <= HASHED_BYTES:
            return sha256_of(path)
        if str(path) not in self._known and stamp[0] == size_bytes:
            self._known[str(path)] = _Content(stamp, sha256)
        known = self._known.get(str(path))
        if known is None or known.stamp != stamp:
            known = self._known[str(path)] = _Content(stamp, sha256_of(path))
        return known.sha256

    def know(self, path: Path, sha256: str) -> None:
        """Take up a file that was just written with this content."""
        stamp = _stamp(path)
        if stamp[0] > HASHED_BYTES:
            self._known[str(path)] = _Content(stamp, sha256)

    def forget(self, path: Path) -> None:
        """Have a file read again the next time."""
        self._known[str(path)] = _Content([], "")

    def save(self, scratch: Path) -> None:
        write_json(self._path, {path: asdict(known) for path, known in self._known.items()}, scratch)


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
