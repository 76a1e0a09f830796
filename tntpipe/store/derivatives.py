"""Publishes derivatives: whole files under their final names, inside the output dataset and nowhere else.

A step's derivatives go out as soon as it has ended, so what is finished is there even if a later step fails. The
scan's manifest lists them, so that one that was deleted is published again without computing.

The results of a scan are at any instant those of one method. When the first step of a scan was computed again, all that
its steps will not publish unchanged is withdrawn: moved into the work folder, before anything new is published. What a
person has edited, or gives as an input, is neither moved nor replaced.
"""

from __future__ import annotations

import datetime
import errno
import hashlib
import json
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any

from tntpipe.errors import OutputError, told
from tntpipe.files import copy_file, encoded, leads_inside, remove_temporaries, sync_folder, write_text
from tntpipe.steps.step import INPUT_FOLDER, Export, Step
from tntpipe.store.manifest import Entry, Manifest, manifest_path, read_manifest, read_manifests, write_manifest
from tntpipe.store.record import Record
from tntpipe.store.wholeness import is_whole
from tntpipe.store.work_folder import WITHDRAWN, WorkFolder


class Standing(Enum):
    """What lies under a derivative's name."""

    PUBLISHED = "what the run would publish"
    UNLISTED = "the same, in no manifest"
    ABSENT = "nothing"
    DAMAGED = "what was published, harmed"
    EDITED = "what was published, changed by a person"
    BESIDE = "the JSON beside what a person has edited"
    GIVEN = "an input of this run"
    OTHER = "another result"


_A_PERSONS = (Standing.EDITED, Standing.BESIDE, Standing.GIVEN)
_AS_IT_SHOULD_BE = (Standing.PUBLISHED, *_A_PERSONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """What was moved out of the output folder, and where to."""

    scan: str
    paths: tuple[str, ...]
    folder: Path


@dataclass(slots=True, kw_only=True)
class Due:
    """What is withdrawn when a scan's first result is published, if it lies there still.

    ``expected`` has each path with what will be published there; None where that is not known, or nothing is.
    ``missing`` are the steps that seem to have to be computed. Where ``is_mixed``, what is only published again waits
    until one of them was.
    """

    expected: dict[str, Entry | None]
    missing: set[str]
    is_mixed: bool
    waiting: list[Step] = field(default_factory=list)


class Derivatives:
    """The output dataset at ``root``, fed from a work folder by a run of one ``method``.

    ``is_ours`` says of the end of a file's name, behind the scan's, whether some version of tntpipe names results so.
    """

    def __init__(
        self,
        root: Path,
        work: WorkFolder,
        method: Mapping[str, Any] | None = None,
        is_ours: Callable[[str], bool] = lambda name: False,
    ) -> None:
        self.root = root
        self._work = work
        self._method = dict(method or {})
        self._is_ours = is_ours
        self._began: os.stat_result | None = None
        self._inputs: set[str] = set()
        self._manifests: dict[str, Manifest | None] = {}
        self._lying: dict[str, Manifest | None] | None = None
        self._due: dict[str, Due] = {}
        self._lock = threading.RLock()  # one thread at a time withdraws, and changes a manifest
        began = datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        self._withdrawn = work.root / WITHDRAWN / f"{began}_{work.run[:8]}"
        self.n_methods_changed = 0
        self.withdrawals: deque[Withdrawal] = deque()
        """What was withdrawn and was not told yet."""

    def look(self, steps: Iterable[Step]) -> None:
        """Know which files of the output folder the steps read, as a user's inputs; writes nothing."""
        sources = {item.source for step in steps for item in step.inputs if isinstance(item.source, Path)}
        root = os.path.realpath(self.root)
        self._inputs = {path for path in map(os.path.realpath, sources) if Path(path).is_relative_to(root)}

    def begin(self, steps: Collection[Step]) -> None:
        """Make the folder and know it again; remove what runs that were killed left of the derivatives of ``steps``.

        Raises
        ------
        OSError
            It cannot be made.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self._began = self.root.stat()
        self.look(steps)
        names: dict[Path, list[str]] = {}
        for step in steps:
            for export in step.exports:
                path = self.root / export.path
                names.setdefault(path.parent, []).extend((path.name, sidecar_path(path).name))
        manifests = [manifest_path(self.root, scan) for scan in {step.place.folder for step in steps if step.exports}]
        if manifests:
            names[manifests[0].parent] = [path.name for path in manifests]
        for folder, own in names.items():
            if leads_inside(folder, self.root):
                remove_temporaries(folder, own)

    def manifest(self, scan: str) -> Manifest | None:
        """What is known of the results of a scan that lie there."""
        if scan not in self._manifests:
            self._manifests[scan] = read_manifest(manifest_path(self.root, scan))
        return self._manifests[scan]

    def methods(self) -> dict[str, Mapping[str, Any] | None]:
        """Of each scan with results in the folder, how they were made; None where that makes no sense to us."""
        with self._lock:
            if self._lying is None:
                self._lying = dict(read_manifests(self.root))
            known = {scan: manifest for scan, manifest in self._manifests.items() if manifest is not None}
            found = self._lying | known
        return {scan: None if manifest is None else manifest.method for scan, manifest in sorted(found.items())}

    def are_published(self, step: Step) -> bool:
        """Whether all derivatives of a done step are there as they were published, or as a person has left them."""
        if not step.exports:
            return True
        record = self._work.record(step.name)
        return record is not None and self.would_be_published(step, record)

    def would_be_published(self, step: Step, record: Record) -> bool:
        """The same, for what a step's record says that it made."""
        return all(
            standing in _AS_IT_SHOULD_BE
            for export in step.exports
            for standing in self._standings(step, export, record).values()
        )

    def expected(self, step: Step, record: Record | None) -> dict[str, Entry | None]:
        """Each path that a step publishes, with what; None where it is not computed."""
        entries: dict[str, Entry | None] = {}
        for export in step.exports:
            entries |= self._entries(step, export, record)
        return entries

    def standing(self, scan: str, name: str, expected: Entry | None) -> Standing:
        """What lies under the name of a derivative of a scan, where ``expected`` is what would be published."""
        path = self.root / name
        if self._inputs and os.path.realpath(path) in self._inputs:
            return Standing.GIVEN
        if not path.is_file():
            return Standing.ABSENT
        manifest = self.manifest(scan)
        entry = None if manifest is None else manifest.files.get(name)
        try:
            if entry is None:
                sha256 = self._work.contents.digest_now(path)
            else:
                sha256 = self._work.contents.digest_now(path, entry.size_bytes, entry.sha256)
        except OSError:
            return Standing.DAMAGED
        if entry is None:
            is_same = expected is not None and sha256 == expected.sha256
            return Standing.UNLISTED if is_same else Standing.OTHER
        if sha256 == entry.sha256 and not entry.given:
            if expected is not None and sha256 == expected.sha256:
                return Standing.PUBLISHED
            return Standing.BESIDE if self._is_beside_edited(scan, name) else Standing.OTHER
        return Standing.EDITED if entry.given or is_whole(path) else Standing.DAMAGED

    def _is_beside_edited(self, scan: str, name: str) -> bool:
        manifest = self.manifest(scan)
        stem = name.removesuffix(".json") + "."
        return (
            name.endswith(".json")
            and manifest is not None
            and any(
                other != name and other.startswith(stem) and self.standing(scan, other, None) is Standing.EDITED
                for other in manifest.files
            )
        )

    def unlisted(self, scan: str, folders: Iterable[str]) -> list[str]:
        """What some version of tntpipe has left of a scan in these folders, and no manifest knows."""
        manifest, found = self.manifest(scan), []
        for folder in sorted(set(folders)):
            if leads_inside(self.root / folder, self.root):
                for path in sorted((self.root / folder).glob(f"{scan}_*")):
                    name = f"{folder}/{path.name}"
                    known = manifest is not None and name in manifest.files
                    if not known and self._is_ours(path.name.removeprefix(f"{scan}_")):
                        found.append(name)
        return found

    def withdraw_later(self, due: Mapping[str, Due]) -> None:
        """Take up what is to be withdrawn of each scan."""
        self._due = dict(due)

    def withdraw(self, scan: str, *, is_computed: bool = True) -> None:
        """Make room for a scan's first new result: move aside what is not its method's, then publish what waited.

        Where nothing ``is_computed``, all stays where it is unless something there will be replaced.

        Raises
        ------
        OutputError
            Something cannot be moved.
        """
        with self._lock:
            due = self._due.get(scan)
            if due is None:
                return
            paths = tuple(
                name
                for name, entry in due.expected.items()
                if leads_inside((self.root / name).parent, self.root)
                and self.standing(scan, name, entry) is Standing.OTHER
            )
            if not is_computed and all(due.expected[name] is None for name in paths):
                paths = ()
            if paths:
                self._require_there()
            try:
                self._withdraw(scan, paths, is_new=is_computed)
            except OSError as error:
                raise OutputError(
                    f"Results of another method in {self.root} cannot be moved to {self._withdrawn}: {told(error)[0]}.",
                    remedy=told(error)[1],
                ) from error
            del self._due[scan]
            waiting = due.waiting
        for step in waiting:
            if not self.are_published(step):
                self.publish(step)

    def publish_again(self, step: Step) -> None:
        """Publish what a step made before, if it is not there; once it may be, where other results lie there still."""
        scan = step.place.folder
        with self._lock:
            due = self._due.get(scan)
            if due is not None:
                due.expected |= self.expected(step, self._work.record(step.name))
                due.missing.discard(step.name)
                if not due.missing:
                    self.withdraw(scan, is_computed=False)
                elif due.is_mixed:
                    due.waiting.append(step)
                    return
        if not self.are_published(step):
            self.publish(step)

    def publish(self, step: Step) -> None:
        """Publish the derivatives of a step that the work folder holds.

        Raises
        ------
        OutputError
            A folder on the way leads out of the output dataset, or cannot be written.
        """
        record = self._work.record(step.name) if step.exports else None
        if record is None:
            return
        scan = step.place.folder
        entered: dict[str, Entry | None] = {}
        self._require_there()
        for export in step.exports:
            standings = self._standings(step, export, record)
            if Standing.GIVEN in standings.values():
                entered |= self._given(export)
            entries = self._entries(step, export, record)
            replaced = {name for name in entries if standings[name] not in _A_PERSONS}
            if not replaced:
                continue
            destination = self._destination(export)
            try:
                self._make_way(scan, standings, entries)
                if export.path in replaced:
                    copy_file(self._source(step, export), destination)
                    self._work.contents.know(destination, str(_sha256(entries[export.path])))
                if export.sidecar is not None and sidecar_name(export.path) in replaced:
                    write_text(sidecar_path(destination), _sidecar_text(export))
            except OSError as error:
                raise OutputError(
                    f"{destination} cannot be written: {error.strerror}.", remedy=told(error)[1]
                ) from error
            entered |= {name: entries[name] for name in replaced}
        try:
            self._enter(scan, {name: entry for name, entry in entered.items() if entry is not None})
        except OSError as error:
            raise OutputError(f"{told(error)[0]}.", remedy=told(error)[1]) from error

    def _standings(self, step: Step, export: Export, record: Record) -> dict[str, Standing]:
        scan = step.place.folder
        return {name: self.standing(scan, name, e) for name, e in self._entries(step, export, record).items()}

    def _given(self, export: Export) -> dict[str, Entry | None]:
        path = self.root / export.path
        return {export.path: Entry(size_bytes=_size(path), sha256=self._work.contents.digest_now(path), given=True)}

    def _make_way(self, scan: str, standings: Mapping[str, Standing], entries: Mapping[str, Entry | None]) -> None:
        """Strike out what will be replaced, and move aside what nobody knows."""
        with self._lock:
            self._withdraw(scan, tuple(name for name, standing in standings.items() if standing is Standing.OTHER))
            manifest = self.manifest(scan)
            if manifest is None:
                return
            gone = {
                name
                for name, entry in entries.items()
                if standings[name] not in _A_PERSONS and manifest.files.get(name, entry) != entry
            }
            if gone:
                self._write(replace(manifest, files={k: v for k, v in manifest.files.items() if k not in gone}))

    def _withdraw(self, scan: str, names: Collection[str], *, is_new: bool = False) -> None:
        """Strike the files out, then move them; from now on the scan's results are of this run's method.

        They are that also where none is moved, and there ``is_new`` one.
        """
        manifest = self.manifest(scan)
        if manifest is not None and (names or (is_new and manifest.method != self._method)):
            if names:
                write_manifest_aside(self._withdrawn, manifest)
            files = {name: entry for name, entry in manifest.files.items() if name not in names}
            self._write(replace(manifest, method=self._method, files=files))
        for name in names:
            _move(self.root / name, self._withdrawn / name)
        if names:
            self.withdrawals.append(Withdrawal(scan=scan, paths=tuple(names), folder=self._withdrawn))

    def _enter(self, scan: str, entries: Mapping[str, Entry]) -> None:
        with self._lock:
            manifest = self.manifest(scan) or Manifest(scan=scan, method=self._method)
            files = {**manifest.files, **entries}
            if files != manifest.files:
                self._write(replace(manifest, files=files))

    def _write(self, manifest: Manifest) -> None:
        write_manifest(self.root, manifest)
        before = self._manifests.get(manifest.scan)
        self.n_methods_changed += before is None or before.method != manifest.method
        self._manifests[manifest.scan] = manifest

    def _destination(self, export: Export) -> Path:
        """The derivative's path, its folders made one by one, none of them beyond a link that leads out."""
        folder = self.root
        for name in PurePosixPath(export.path).parent.parts:
            folder = folder / name
            if not leads_inside(folder, self.root):
                raise OutputError(
                    f"{folder} leads out of the output folder, to {os.path.realpath(folder)}.",
                    remedy="Remove the symbolic link, or give another output folder.",
                )
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(
                    f"The folder {folder} cannot be made: {error.strerror}.", remedy=told(error)[1]
                ) from error
        return self.root / export.path

    def _require_there(self) -> None:
        """Raise OutputError where the folder is not the one that the run began with."""
        try:
            is_there = self._began is None or os.path.samestat(self._began, self.root.stat())
        except OSError:
            is_there = False
        if not is_there:
            raise OutputError(
                f"The output folder {self.root} was removed, or its disk unmounted, while the run used it.",
                remedy="Put it back, then give the same command again: what is in the work folder is kept.",
            )

    def _source(self, step: Step, export: Export) -> Path:
        folder, _, name = export.file.partition("/")
        if folder == INPUT_FOLDER and name:
            return self._work.path(step, name)
        return self._work.folder(step.name) / export.file

    def _entries(self, step: Step, export: Export, record: Record | None) -> dict[str, Entry | None]:
        """A derivative and its sidecar, with what is published there."""
        entries: dict[str, Entry | None] = {export.path: self._entry(step, export, record)}
        if export.sidecar is not None:
            text = encoded(_sidecar_text(export))
            sidecar = Entry(size_bytes=len(text), sha256=hashlib.sha256(text).hexdigest())
            entries[sidecar_name(export.path)] = None if record is None else sidecar
        return entries

    def _entry(self, step: Step, export: Export, record: Record | None) -> Entry | None:
        if record is None:
            return None
        folder, _, name = export.file.partition("/")
        if folder == INPUT_FOLDER and name:
            sha256, size_bytes = record.inputs.get(name, ""), _size(self._source(step, export))
        else:
            made = record.outputs[export.file]
            sha256, size_bytes = made.sha256, made.size_bytes
        return Entry(size_bytes=size_bytes, sha256=sha256)


def _move(source: Path, destination: Path) -> None:
    """Move a file, whole at every moment in one place or the other; onto another file system by a copy."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_file(source, destination)
        source.unlink()
    sync_folder(source.parent)


def write_manifest_aside(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of results that are withdrawn where they go, so that they can be verified there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not manifest_path(folder, manifest.scan).exists():
        write_manifest(folder, manifest)


def sidecar_path(path: Path) -> Path:
    """Where the JSON beside a derivative stands."""
    return path.with_name(path.name.split(".")[0] + ".json")


def sidecar_name(name: str) -> str:
    """The same, of a path in the output folder."""
    return str(sidecar_path(Path(name)))


def _sha256(entry: Entry | None) -> str | None:
    return None if entry is None else entry.sha256


def _sidecar_text(export: Export) -> str:
    return json.dumps(export.sidecar, indent=2, ensure_ascii=False) + "\n"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
