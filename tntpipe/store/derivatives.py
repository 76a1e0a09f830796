"""Publishes derivatives: whole files under their final names, inside the output dataset and nowhere else.

A step's derivatives go out as soon as it has ended, so what is finished is there even if a later step fails. The
list of what was published stands in the step's work folder, so a derivative that was deleted is published again
without computing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from tntpipe.errors import OutputError, told
from tntpipe.files import copy_file, leads_inside, parsed_json, remove_temporaries, sha256_of, write_json, write_text
from tntpipe.steps.step import INPUT_FOLDER, Export, Step
from tntpipe.store.work_folder import WorkFolder

LIST_NAME = "exported.json"
HASHED_BYTES = 65536
"""Derivatives up to this size (the tables) are read again to see whether they are what was published."""


class Derivatives:
    """The output dataset at ``root``, fed from a work folder."""

    def __init__(self, root: Path, work: WorkFolder) -> None:
        self.root = root
        self._work = work
        self._began: os.stat_result | None = None

    def begin(self, steps: Iterable[Step]) -> None:
        """Make the folder and know it again; remove what runs that were killed left of the derivatives of ``steps``.

        Raises
        ------
        OSError
            It cannot be made.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self._began = self.root.stat()
        names: dict[Path, list[str]] = {}
        for step in steps:
            for export in step.exports:
                path = self.root / export.path
                names.setdefault(path.parent, []).extend((path.name, sidecar_path(path).name))
        for folder, own in names.items():
            if leads_inside(folder, self.root):
                remove_temporaries(folder, own)

    def are_published(self, step: Step) -> bool:
        """Whether each derivative of a done step is there with the size and the sidecar that were written."""
        if not step.exports:
            return True
        try:
            listed = parsed_json(self._list_path(step).read_bytes())
        except (OSError, ValueError):
            return False
        if listed != self._list(step):
            return False
        return all(
            _is_there(self.root / path, entry)
            and (entry["sidecar"] is None or _text(sidecar_path(self.root / path)) == entry["sidecar"])
            for path, entry in listed["files"].items()
        )

    def publish(self, step: Step) -> None:
        """Publish the derivatives of a step that the work folder holds.

        Raises
        ------
        OutputError
            A folder on the way leads out of the output dataset, or cannot be written.
        """
        if not step.exports:
            return
        for export in step.exports:
            destination = self._destination(export)
            try:
                copy_file(self._source(step, export), destination)
                if export.sidecar is not None:
                    write_text(sidecar_path(destination), _sidecar_text(export))
            except OSError as error:
                raise OutputError(
                    f"{destination} cannot be written: {error.strerror}.", remedy=told(error)[1]
                ) from error
        write_json(self._list_path(step), self._list(step), self._work.scratch())

    def _destination(self, export: Export) -> Path:
        """The derivative's path, its folders made one by one, none of them beyond a link that leads out."""
        self._require_there()
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

    def _list_path(self, step: Step) -> Path:
        return self._work.folder(step.name) / LIST_NAME

    def _list(self, step: Step) -> dict[str, Any]:
        """What was published, and where: a work folder may have fed another output folder before."""
        files = {
            export.path: {
                "size_bytes": _size(self._source(step, export)),
                "sha256": self._digest(step, export),
                "sidecar": None if export.sidecar is None else _sidecar_text(export),
            }
            for export in step.exports
        }
        return {"root": str(self.root.resolve()), "files": files}

    def _digest(self, step: Step, export: Export) -> str | None:
        record = self._work.record(step.name)
        if record is None:
            return None
        folder, _, name = export.file.partition("/")
        if folder == INPUT_FOLDER and name:
            return record.inputs.get(name)
        digest: str = record.outputs[export.file].sha256
        return digest


def _is_there(path: Path, entry: dict[str, Any]) -> bool:
    """Whether a derivative is there as it was published: by its size, and a small one by its content too."""
    if _size(path) != entry["size_bytes"]:
        return False
    return bool(entry["size_bytes"] > HASHED_BYTES or sha256_of(path) == entry["sha256"])


def sidecar_path(path: Path) -> Path:
    """Where the JSON beside a derivative stands."""
    return path.with_name(path.name.split(".")[0] + ".json")


def _sidecar_text(export: Export) -> str:
    return json.dumps(export.sidecar, indent=2, ensure_ascii=False) + "\n"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
