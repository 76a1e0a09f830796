"""The work folder: where steps run, and the record by which a finished one is known again.

    steps/<scan>/<kind>/     what a step made, its log and its record.json: appears by one rename, whole
    scratch/<host>-<pid>/<random>/   a step that runs; what dead processes of this host left is swept away
    failed/<scan>/<kind>/    the last failed attempt at a step, to look at
    contents.json            fingerprints of the files of the user's, so that they are read once

A step is done when its record holds its present fingerprint and its outputs have their recorded sizes. The fingerprint
covers the command's words, the program, and the content of the inputs; so threads, budgets and the place of the folder
never matter, and what changes redoes exactly what depends on it: a step redone to the same bytes stops the chain.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tntpipe.errors import OutputError
from tntpipe.files import sha256_of, write_json
from tntpipe.steps.step import INPUT_FOLDER, Step

SCHEMA_VERSION = 1
RECORD_NAME = "record.json"
LOG_NAME = "log.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What made a published step, and what it made: ``outputs`` maps a name to its size and SHA-256."""

    step: str
    kind: str
    variant: str
    voxels: int
    argv: tuple[str, ...]
    program_version: str
    fingerprint: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, Mapping[str, Any]]
    usage: Mapping[str, Any]
    schema_version: int = field(default=SCHEMA_VERSION)


class WorkFolder:
    """The work folder at ``root``; ``program_versions`` says what each program's results depend on."""

    def __init__(self, root: Path, program_versions: Mapping[str, str]) -> None:
        self.root = root
        self._versions = program_versions
        self._records: dict[str, Record | None] = {}
        self._contents = _ContentCache(root / "contents.json")
        self._scratch = root / "scratch" / f"{_host()}-{os.getpid()}"
        try:
            self._scratch.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The work folder {root} cannot be made: {error.strerror}.",
                remedy="Name another one, on a disk with room that you may write to.",
            ) from error
        self._sweep()

    def folder(self, step_name: str) -> Path:
        """Where the step of that name is published."""
        return self.root / "steps" / step_name

    def path(self, step: Step, input_name: str) -> Path:
        """The file behind one of the step's inputs."""
        source = next(item.source for item in step.inputs if item.name == input_name)
        return self.root / "steps" / source  # an absolute source stays as it is

    def fingerprint(self, step: Step) -> str | None:
        """What the step's result depends on, or None while an input is not made yet."""
        inputs = self._input_digests(step)
        if inputs is None:
            return None
        parts = [SCHEMA_VERSION, step.program, self._versions[step.program], step.arguments, inputs, step.outputs]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _input_digests(self, step: Step) -> dict[str, str] | None:
        digests = {}
        for item in step.inputs:
            if isinstance(item.source, Path):
                digests[item.name] = self._contents.digest(item.source)
            else:
                step_name, _, output = item.source.rpartition("/")
                made = self.record(step_name)
                if made is None or output not in made.outputs:
                    return None
                digests[item.name] = made.outputs[output]["sha256"]
        return digests

    def record(self, step_name: str) -> Record | None:
        """The record of a published step, None where there is none that can be read."""
        if step_name not in self._records:
            self._records[step_name] = _read_record(self.folder(step_name) / RECORD_NAME)
        return self._records[step_name]

    def is_done(self, step: Step) -> bool:
        """Whether the published step is what running it now would give; never, where an input cannot be read."""
        record = self.record(step.name)
        try:
            if record is None or record.fingerprint != self.fingerprint(step):
                return False
        except OSError:
            return False
        folder = self.folder(step.name)
        return all(_size_of(folder / name) == made["size_bytes"] for name, made in record.outputs.items())

    def forget(self, step_name: str) -> None:
        """Treat a step as not made, because what follows must not be judged by what is about to be replaced."""
        self._records[step_name] = None

    def prepare(self, step: Step) -> Path:
        """A fresh scratch folder with the step's inputs in it, by links."""
        scratch = self._scratch / uuid.uuid4().hex[:16]
        inputs = scratch / INPUT_FOLDER
        inputs.mkdir(parents=True)
        for item in step.inputs:
            source = self.root / "steps" / item.source  # an absolute source stays as it is
            (inputs / item.name).symlink_to(source)
        return scratch

    def publish(self, step: Step, scratch: Path, argv: tuple[str, ...], usage: Mapping[str, Any]) -> None:
        """Give the finished scratch folder its final name.

        Raises
        ------
        OutputError
            An output that the step promised is missing or empty.
        """
        outputs = {name: _described(scratch / name, step) for name in step.outputs}
        fingerprint, inputs = self.fingerprint(step), self._input_digests(step)
        assert fingerprint is not None and inputs is not None
        record = Record(
            step=step.name,
            kind=step.kind,
            variant=step.variant,
            voxels=step.voxels,
            argv=argv,
            program_version=self._versions[step.program],
            fingerprint=fingerprint,
            inputs=inputs,
            outputs=outputs,
            usage=usage,
        )
        shutil.rmtree(scratch / INPUT_FOLDER)
        write_json(scratch / RECORD_NAME, asdict(record))
        _rename_over(scratch, self.folder(step.name), self._scratch)
        self._records[step.name] = record
        shutil.rmtree(self.root / "failed" / step.name, ignore_errors=True)

    def keep_failed(self, step: Step, scratch: Path) -> Path:
        """Put a failed attempt where a person finds it; the links to its inputs stay, so that it can be run by hand."""
        kept = self.root / "failed" / step.name
        _rename_over(scratch, kept, self._scratch)
        return kept

    def discard(self, scratch: Path) -> None:
        """Remove a scratch folder that nobody needs."""
        shutil.rmtree(scratch, ignore_errors=True)

    def close(self) -> None:
        """Leave no scratch folder, and save the fingerprints of the user's files for the next run."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._contents.save()

    def _sweep(self) -> None:
        """Remove what processes of this host left in scratch when they were killed."""
        for folder in (self.root / "scratch").iterdir():
            host, _, pid = folder.name.rpartition("-")
            if host == _host() and pid.isdecimal() and not Path(f"/proc/{pid}").exists():
                shutil.rmtree(folder, ignore_errors=True)


def remove_steps(root: Path) -> None:
    """Remove every published and failed step of a work folder, and nothing that no step has left there."""
    for record in (root / "steps").glob(f"*/*/{RECORD_NAME}"):
        shutil.rmtree(record.parent, ignore_errors=True)
    for log in (root / "failed").glob(f"*/*/{LOG_NAME}"):
        shutil.rmtree(log.parent, ignore_errors=True)


class _ContentCache:
    """SHA-256 of files by path, size and times; a copy may keep the modification time, but never the change time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        found = _read_json(path)
        self._known: dict[str, Any] = found if isinstance(found, dict) else {}
        self._fresh: dict[str, str] = {}

    def digest(self, path: Path) -> str:
        key = str(path)
        if key not in self._fresh:
            status = path.stat()
            stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
            known = self._known.get(key)
            if not isinstance(known, dict) or known.get("stamp") != stamp or "sha256" not in known:
                known = self._known[key] = {"stamp": stamp, "sha256": sha256_of(path)}
            self._fresh[key] = known["sha256"]
        return self._fresh[key]

    def save(self) -> None:
        write_json(self._path, self._known)


def _host() -> str:
    return re.sub(r"[^0-9A-Za-z.]", "_", platform.node()) or "unnamed"


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _read_record(path: Path) -> Record | None:
    values = _read_json(path)
    if not isinstance(values, dict) or values.get("schema_version") != SCHEMA_VERSION:
        return None
    try:
        record = Record(**values)
        made = record.outputs.values()
        whole = bool(made) and all({"size_bytes", "sha256"} <= set(output) for output in made)
    except (TypeError, AttributeError):
        return None
    return record if whole else None


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _described(path: Path, step: Step) -> dict[str, Any]:
    size = _size_of(path)
    if size <= 0:
        fact = "was not written" if size < 0 else "is empty"
        raise OutputError(f"{step.kind} ended without an error, but its output {path.name} {fact}.")
    return {"size_bytes": size, "sha256": sha256_of(path)}


def _rename_over(source: Path, destination: Path, trash: Path) -> None:
    """Rename a folder to a name that may be taken; what had the name is removed only after it has lost it."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    old = trash / uuid.uuid4().hex[:16]
    if destination.exists():
        destination.rename(old)
    source.rename(destination)
    shutil.rmtree(old, ignore_errors=True)
