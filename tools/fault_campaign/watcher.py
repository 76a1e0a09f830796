"""Watches an output folder while runs write to it and die: a file that has its final name is whole, and stays as it is.

The kernel tells every name that appears and every file that is written to. A file may get its final name by a rename
only, and is read to its end at once; nothing may be written to it afterwards. Exempt is what is meant to grow or to be
in the making: logs, locks, scratch, failed attempts, and temporary names.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import zlib
from pathlib import Path

from inotify_simple import INotify, flags

from tntpipe.files import TEMPORARY
from tntpipe.store.truncation import missing_from

EXEMPT = ("logs", "work/scratch", "work/failed", "work/lock")
EVENTS = flags.CREATE | flags.MOVED_TO | flags.MODIFY | flags.MOVED_FROM | flags.Q_OVERFLOW | flags.ONLYDIR
CHUNK_BYTES = 1 << 20


class Watcher:
    """Watches the folder ``root``, which exists, in a thread of its own; ``violations`` says what went wrong."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.violations: list[str] = []
        self.n_files = 0
        self._digests: dict[Path, str] = {}
        self._inotify = INotify()
        self._paths: dict[int, Path] = {}
        self._ending = threading.Event()
        self._add(root)
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def close(self) -> None:
        """End watching, and look at every file once more."""
        self._ending.set()
        self._thread.join()
        self._inotify.close()
        for path, digest in self._digests.items():
            if path.is_file() and _digest(path) != digest:
                self.violations.append(f"{path} is not what it was when it appeared")

    def _watch(self) -> None:
        while True:
            ended = self._ending.is_set()
            events = self._inotify.read(timeout=50)
            for event in events:
                self._take(event.wd, event.mask, event.name)
            if ended and not events:
                return

    def _take(self, number: int, mask: int, name: str) -> None:
        if mask & flags.Q_OVERFLOW:
            self.violations.append("the watcher was too slow")
            return
        if number not in self._paths or not name:
            return
        path = self._paths[number] / name
        if mask & flags.ISDIR:
            self._take_folder(path, mask)
        elif not self._is_exempt(path):
            if mask & flags.MODIFY:
                self.violations.append(f"{path} was written to under its final name")
            elif mask & flags.CREATE:
                self.violations.append(f"{path} was made under its final name")
            elif mask & flags.MOVED_TO:
                self._check(path)

    def _take_folder(self, path: Path, mask: int) -> None:
        if mask & flags.MOVED_FROM:
            for number, watched in list(self._paths.items()):
                if watched == path or path in watched.parents:
                    del self._paths[number]
        elif not self._is_exempt(path):
            self._add(path)

    def _add(self, folder: Path) -> None:
        """Watch the folder and all below it; what is there already is checked."""
        try:
            self._paths[self._inotify.add_watch(folder, EVENTS)] = folder
            entries = list(folder.iterdir())
        except OSError:  # it has gone again
            return
        for path in entries:
            if self._is_exempt(path):
                continue
            if path.is_dir():
                self._add(path)
            else:
                self._check(path)

    def _check(self, path: Path) -> None:
        try:
            damage = damage_of(path)
            self._digests[path] = _digest(path)
        except FileNotFoundError:  # replaced as a whole while it was read
            return
        self.n_files += 1
        if damage:
            self.violations.append(f"{path}: {damage}")

    def _is_exempt(self, path: Path) -> bool:
        if TEMPORARY.fullmatch(path.name):
            return True
        relative = path.relative_to(self.root)
        return any(relative.is_relative_to(place) for place in EXEMPT)


def damage_of(path: Path) -> str:
    """What is wrong with a file, read to its end; nothing where it is whole."""
    try:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix in (".tsv", ".csv"):
            text = path.read_text(encoding="utf-8")
            separator = "\t" if path.suffix == ".tsv" else ","
            if not text.endswith("\n") or len({line.count(separator) for line in text.splitlines()}) != 1:
                return "the table ends early"
        elif path.suffix == ".gz":
            with gzip.open(path) as file:
                while file.read(CHUNK_BYTES):
                    pass
        elif path.name != "log.txt" and not path.stat().st_size:
            return "it is empty"
    except FileNotFoundError:
        raise
    except (OSError, EOFError, ValueError, zlib.error) as error:
        return str(error)
    return missing_from(path)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
