"""The work folder: where steps run, and the record by which a finished one is known again.

    steps/<scan>/<kind>/     what a step made, its log and its record.json: appears by one rename, whole
    superseded/<scan>/<kind>/<fingerprint>/   the same, made by another method: a run of that method takes it back
    withdrawn/<run>/…        derivatives of another method, as they lay in the output folder
    scratch/<run>/<random>/  a step that runs; what runs that died left is swept away
    lock                     held by the one run that uses the folder
    failed/<scan>/<kind>/    the last failed attempt at a step, to look at
    contents.json            fingerprints of the files of the user's and of derivatives, so that they are read once

A step is done when its record holds its present fingerprint and its outputs have their recorded sizes. The fingerprint
covers the command's words, the program, and the content of the inputs; so threads, budgets and the place of the folder
never matter, and what changes redoes exactly what depends on it: a step redone to the same bytes stops the chain.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from tntpipe.errors import WARNING_MARK, BusyError, OutputError, told
from tntpipe.files import leads_inside, remove_temporaries, sha256_of, sync_file, sync_folder, write_json
from tntpipe.formatting import format_gib
from tntpipe.processes.leftovers import end_processes
from tntpipe.steps.step import INPUT_FOLDER, Step
from tntpipe.store.input_digests import ContentCache
from tntpipe.store.locks import holder, open_lock, try_lock
from tntpipe.store.record import RECORD_NAME, SCHEMA_VERSION, Made, Record, read_record
from tntpipe.store.truncation import missing_from

LOG_NAME = "log.txt"
SUPERSEDED, WITHDRAWN = "superseded", "withdrawn"
LITTLE_ROOM_BYTES = 1 << 20
"""With less than this on the disk, that is told of a step that fails."""

_ROOM = "Make room there"

LAST_LINE_BYTES = 16384
LAST_LINE_SHOWN = 2000
MOST_WARNINGS = 10
ITK_ERROR = "ITK ERROR: "


class WorkFolder:
    """The work folder at ``root``; ``program_versions`` says what each program's results depend on.

    ``run`` is the name of the run that opens it, which no other run has. Nothing is made where it is only looked at.
    """

    def __init__(self, root: Path, program_versions: Mapping[str, str], *, makes: bool = True) -> None:
        self.root = root
        self._versions = program_versions
        self._records: dict[str, Record | None] = {}
        self.contents = ContentCache(root / "contents.json")
        self.run = uuid.uuid4().hex[:16]
        self._scratch = root / "scratch" / self.run  # made when it is needed
        self._lock: TextIO | None = None
        for name in ("steps", "scratch", "failed", SUPERSEDED, WITHDRAWN):
            if (root / name).is_symlink():
                raise OutputError(
                    f"{root / name} is a symbolic link, behind which a run would write and remove.",
                    remedy="Remove it; the work folder itself may be a link to another disk.",
                )
        if not makes:
            return
        try:
            self._scratch.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The work folder {root} cannot be made: {error.strerror}.",
                remedy="Name another one, on a disk with room that you may write to.",
            ) from error

    def lock(self) -> None:
        """Take the folder for this run; end and sweep away what runs that died left running and in scratch.

        The lock is the kernel's: it goes with the process that holds it, however that ends.

        Raises
        ------
        BusyError
            Another run holds it.
        NoLocksError
            The file system has no locks: nothing is swept.
        """
        lock = self._opened_lock()
        if not try_lock(lock):
            lock.seek(0)
            who = lock.read().strip() or "unknown"
            lock.close()
            raise BusyError(
                f"The work folder {self.root} is in use by another run ({who}).",
                remedy="Wait for it to end, or give this run a --working_directory of its own: both may write to one "
                "output folder while they work on different participants.",
            )
        lock.truncate(0)
        lock.write(f"{holder()}\n")
        lock.flush()
        self._lock = lock
        remove_temporaries(self.root)
        left = [folder for folder in (self.root / "scratch").iterdir() if folder != self._scratch]
        if left:
            end_processes([folder.name for folder in left])
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)

    def _opened_lock(self) -> TextIO:
        path = self.root / "lock"
        try:
            return open_lock(path)
        except OSError as error:
            fact = "is a symbolic link" if error.errno == errno.ELOOP else f"cannot be opened: {error.strerror}"
            raise OutputError(f"{path} {fact}.", remedy="Remove it, or name another work folder.") from error

    def folder(self, step_name: str) -> Path:
        """Where the step of that name is published."""
        return self.root / "steps" / step_name

    def path(self, step: Step, input_name: str) -> Path:
        """The file behind one of the step's inputs."""
        source = next(item.source for item in step.inputs if item.name == input_name)
        return self.root / "steps" / source  # an absolute source stays as it is

    def fingerprint(self, step: Step, record_of: Callable[[str], Record | None] | None = None) -> str | None:
        """What the step's result depends on, or None while an input is not made yet.

        ``record_of`` gives the records of the steps that it follows, by default those that are published.
        """
        inputs = self._input_digests(step, record_of or self.record)
        if inputs is None:
            return None
        parts = [SCHEMA_VERSION, step.program, self._versions[step.program], step.arguments, inputs, step.outputs]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _input_digests(self, step: Step, record_of: Callable[[str], Record | None]) -> dict[str, str] | None:
        digests = {}
        for item in step.inputs:
            if isinstance(item.source, Path):
                digests[item.name] = self.contents.digest(item.source)
            else:
                step_name, _, output = item.source.rpartition("/")
                made = record_of(step_name)
                if made is None or output not in made.outputs:
                    return None
                digests[item.name] = made.outputs[output].sha256
        return digests

    def record(self, step_name: str) -> Record | None:
        """The record of a published step, None where there is none that can be read."""
        if step_name not in self._records:
            self._records[step_name] = read_record(self.folder(step_name) / RECORD_NAME)
        return self._records[step_name]

    def is_done(self, step: Step) -> bool:
        """Whether the published step is what running it now would give; never, where an input cannot be read."""
        record = self.record(step.name)
        try:
            if record is None or record.fingerprint != self.fingerprint(step):
                return False
        except OSError:
            return False
        return _has_sizes(self.folder(step.name), record)

    def find(self, step: Step, record_of: Callable[[str], Record | None]) -> tuple[Record, bool] | None:
        """What running the step would give, if it was computed before; and whether it is published or superseded."""
        try:
            fingerprint = self.fingerprint(step, record_of)
        except OSError:
            return None
        if fingerprint is None:
            return None
        for folder, is_published in ((self.folder(step.name), True), (self._aside(step.name, fingerprint), False)):
            record = self.record(step.name) if is_published else read_record(folder / RECORD_NAME)
            if record is not None and record.fingerprint == fingerprint and _has_sizes(folder, record):
                return record, is_published
        return None

    def restore(self, step: Step) -> bool:
        """Take back what was superseded, where that is what running the step now would give; whether it was.

        Raises
        ------
        OSError, OutputError
            An input cannot be read, or the folder cannot be written.
        """
        self._require_there()
        fingerprint = self.fingerprint(step)
        if fingerprint is None:
            return False
        aside = self._aside(step.name, fingerprint)
        record = read_record(aside / RECORD_NAME)
        if record is None or record.fingerprint != fingerprint or not _has_sizes(aside, record):
            return False
        self._set_aside(step.name, fingerprint)
        _rename_over(aside, self.folder(step.name), self.scratch())
        self._records[step.name] = record
        return True

    def _aside(self, step_name: str, fingerprint: str) -> Path:
        return self.root / SUPERSEDED / step_name / fingerprint[:16]

    def _set_aside(self, step_name: str, fingerprint: str) -> None:
        """Keep a published step that is about to be replaced by one of another fingerprint."""
        folder = self.folder(step_name)
        record = read_record(folder / RECORD_NAME)
        if record is not None and record.fingerprint != fingerprint and _has_sizes(folder, record):
            _rename_over(folder, self._aside(step_name, record.fingerprint), self.scratch())

    def other_versions(self, steps: Iterable[Step]) -> int:
        """How many published steps were made by other versions of their programs, or have a record of another form."""
        n_others = 0
        for step in steps:
            record = self.record(step.name)
            if record is None:
                n_others += (self.folder(step.name) / RECORD_NAME).exists()
            else:
                n_others += record.program_version != self._versions[step.program]
        return n_others

    def forget(self, step_name: str) -> None:
        """Treat a step as not made, because what follows must not be judged by what is about to be replaced."""
        self._records[step_name] = None

    def scratch(self) -> Path:
        """The folder of this run for files on their way."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch

    def _require_there(self) -> None:
        """Raise OutputError where the folder that was locked is not the one that has its name."""
        if self._lock is None:
            return
        try:
            is_there = os.path.samestat(os.fstat(self._lock.fileno()), (self.root / "lock").stat())
        except OSError:
            is_there = False
        if not is_there:
            raise OutputError(
                f"The work folder {self.root} was removed, or its disk unmounted, while the run used it.",
                remedy="Put it back, or let the same command begin again.",
            )

    def trouble(self) -> str:
        """What is wrong with the folder itself, and may be why a step has failed; nothing where nothing is known."""
        try:
            self._require_there()
            free_bytes = shutil.disk_usage(self.root).free
        except OutputError as error:
            return str(error)
        except OSError as error:
            return ". ".join(told(error))
        if free_bytes >= LITTLE_ROOM_BYTES:
            return ""
        return f"{self.root} has {free_bytes} bytes of room left. {_ROOM}, then give the same command again."

    def prepare(self, step: Step) -> Path:
        """A fresh scratch folder with the step's inputs in it, by links.

        Raises
        ------
        OSError
            An input is not there, or nothing can be written.
        OutputError
            The work folder itself is gone.
        """
        self._require_there()
        self._input_digests(
            step, self.record
        )  # of the inputs as the step will read them, not as they may be when it has ended
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
            An output that the step promised is missing, empty or cut short, or an input was changed while it ran, or
            its log tells of an exception of ITK, or the work folder itself is gone.
        """
        self._require_there()
        self._require_unchanged(step)
        if error := _error_of_itk(scratch / LOG_NAME):
            raise OutputError(f"{step.kind} ended as if without an error, but it says: {error}")
        outputs = {name: _described(scratch / name, step) for name in step.outputs}
        fingerprint, inputs = self.fingerprint(step), self._input_digests(step, self.record)
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
            warnings=_warnings_in(scratch / LOG_NAME),
        )
        shutil.rmtree(scratch / INPUT_FOLDER)
        write_json(scratch / RECORD_NAME, asdict(record))
        for name in outputs:
            sync_file(scratch / name)  # or a power cut could leave holes in a file that has its size
        self._set_aside(step.name, fingerprint)
        _rename_over(scratch, self.folder(step.name), self._scratch)
        self._records[step.name] = record
        shutil.rmtree(self.root / "failed" / step.name, ignore_errors=True)

    def _require_unchanged(self, step: Step) -> None:
        for item in step.inputs:
            if isinstance(item.source, Path) and not self.contents.is_unchanged(item.source):
                raise OutputError(
                    f"{item.source} was changed while {step.kind} read it.",
                    remedy="Run the same command again when nobody writes to it.",
                )

    def keep_failed(self, step: Step, scratch: Path) -> Path:
        """Put a failed attempt where a person finds it; the links to its inputs stay, so that it can be run by hand.

        What it made is removed where it takes more room than there is left, which other steps need.
        """
        made = [path for path in scratch.iterdir() if path.is_file() and path.name != LOG_NAME]
        if sum(map(_size_of, made)) > shutil.disk_usage(scratch).free:
            for path in made:
                path.unlink()
        kept = self.root / "failed" / step.name
        _rename_over(scratch, kept, self._scratch)
        return kept

    def discard(self, scratch: Path) -> None:
        """Remove a scratch folder that nobody needs."""
        shutil.rmtree(scratch, ignore_errors=True)

    def close(self) -> None:
        """Leave no scratch folder, and save the fingerprints of the user's files for the next run."""
        with contextlib.suppress(OSError, OutputError):  # a cache: the next run reads the files again
            self._require_there()
            self.contents.save(self.scratch())
        shutil.rmtree(self._scratch, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def remove_steps(root: Path) -> None:
    """Remove every published, superseded and failed step of a work folder, and nothing that no step has left there."""
    records = (*(root / "steps").glob(f"*/*/{RECORD_NAME}"), *(root / SUPERSEDED).glob(f"*/*/*/{RECORD_NAME}"))
    for made in (*records, *(root / "failed").glob(f"*/*/{LOG_NAME}")):
        if leads_inside(made.parent, root):
            shutil.rmtree(made.parent, ignore_errors=True)


def last_log_lines(folder: Path) -> list[str]:
    """The last lines that a step wrote to its log and that hold anything, shortened; the last one first."""
    try:
        with (folder / LOG_NAME).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_LINE_BYTES))
            lines = file.read().decode("utf-8", errors="replace").split("\n")
    except OSError:
        return []
    return [_shortened(line.strip()) for line in reversed(lines) if line.strip()]


def _shortened(line: str) -> str:
    """A line of a log for a message: whole, or cut after a word where it is one without end."""
    if len(line) <= LAST_LINE_SHOWN:
        return line
    return f"{line[:LAST_LINE_SHOWN].rsplit(maxsplit=1)[0]} …"


def last_log_line(folder: Path) -> str:
    """The last line that a step wrote to its log; where our own children say what is wrong."""
    return next(iter(last_log_lines(folder)), "")


def _warnings_in(log: Path) -> tuple[str, ...]:
    """What a step's log says behind `WARNING_MARK`, at the beginning of a line."""
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            marked = (line for line in lines if line.startswith(WARNING_MARK))
            return tuple(line.removeprefix(WARNING_MARK).strip() for line in itertools.islice(marked, MOST_WARNINGS))
    except OSError:
        return ()


def _has_sizes(folder: Path, record: Record) -> bool:
    return all(_size_of(folder / name) == made.size_bytes for name, made in record.outputs.items())


def _error_of_itk(log: Path) -> str:
    """The first exception of ITK in a step's log: antsRegistration ends without an error after one, and leaves the
    transform that it began with."""
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            said = (line.partition(ITK_ERROR) for line in lines if ITK_ERROR in line)
            return next((_shortened(text.strip()) for _, _, text in said), "")
    except OSError:
        return ""


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _described(path: Path, step: Step) -> Made:
    size = _size_of(path)
    if size <= 0:
        fact = "was not written" if size < 0 else "is empty"
        raise OutputError(f"{step.kind} ended without an error, but its output {path.name} {fact}.")
    missing = missing_from(path)
    if missing:
        raise OutputError(
            f"{step.kind} ended without an error, but its output {path.name} is cut short: {missing}.",
            remedy=f"That is what a full disk does: {format_gib(shutil.disk_usage(path.parent).free)} are free there. "
            f"{_ROOM}, then give the same command again.",
        )
    return Made(size_bytes=size, sha256=sha256_of(path))


def _rename_over(source: Path, destination: Path, trash: Path) -> None:
    """Rename a folder to a name that may be taken; what had the name is removed only after it has lost it."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    if destination.parent.is_symlink():
        raise OSError(errno.ELOOP, "is a symbolic link, remove it", str(destination.parent))
    old = trash / uuid.uuid4().hex[:16]
    if destination.exists():
        destination.rename(old)
    source.rename(destination)
    sync_folder(destination.parent)
    shutil.rmtree(old, ignore_errors=True)
