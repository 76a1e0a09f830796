"""The contents of the user's files, known again by size and times, so that a large file is read once."""

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


class ContentCache:
    """SHA-256 of files by path, size and times; a copy may keep the modification time, but never the change time.

    Other times mean that a file must be looked at again, and not that it was changed: so much does a ``chmod`` do.
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

    def save(self, scratch: Path) -> None:
        write_json(self._path, {path: asdict(known) for path, known in self._known.items()}, scratch)


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
