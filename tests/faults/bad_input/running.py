"""Runs the command on a case, in this process or in a child, and says what it did to the world.

In this process every opening for writing, every rename, removal and started child is seen as it happens, wherever it is
(``sys.addaudithook``); a child is judged by snapshots of its surroundings before and after.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import tntpipe.run.plan as planned
from bad_input.place import FREE, Place, entered
from bad_input.powers import ordinary_permissions
from tntpipe.cli.main import main

LIMIT_S = 60.0
LEVEL = "participant"
BUDGET = ("--n_proc", "2", "--memory_gb", "8")

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod")
_seen: list[str] | None = None


class Hang(BaseException):
    """A command took longer than `LIMIT_S`; nothing that the command catches."""


@dataclass(frozen=True)
class Ended:
    """How a command ended, what it said, and what it changed where it may not."""

    status: int
    out: str
    err: str
    changed: tuple[str, ...]

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True, kw_only=True)
class Command:
    """The words of a case where they are not the usual ones; by default a dry run over the place's dataset."""

    bids: object = None
    out: object = None
    levels: tuple[str, ...] = (LEVEL,)
    usual: tuple[str, ...] = ("--dry-run", *BUDGET)
    extra: tuple[object, ...] = ()


def words_of(place: Place, given: Command | Sequence[object] | None) -> list[str]:
    """The words of a command, from what a case says of it: nothing, words that come after the usual ones, or all."""
    command = given if isinstance(given, Command) else Command(extra=tuple(given or ()))
    bids = place.bids if command.bids is None else command.bids
    out = place.out if command.out is None else command.out
    return [str(word) for word in (bids, out, *command.levels, *command.usual, *command.extra)]


def run_here(place: Place, words: Sequence[str]) -> Ended:
    """Run the command in this process, within `LIMIT_S`."""
    before = place.snapshot()
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", write_through=True) for _ in range(2))
    with contextlib.ExitStack() as stack:
        for around in (entered(place), limited(), ordinary_permissions()):
            stack.enter_context(around)
        touched = stack.enter_context(_watched(place))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        status = main(words)
    return Ended(status, _text(out), _text(err), (*touched, *_changes(before, place)))


def run_child(place: Place, words: Sequence[str], *, limit_s: float = LIMIT_S, umask: int = -1) -> Ended:
    """Run the command as a process of its own; it is killed, and TimeoutExpired raised, at the limit."""
    before = place.snapshot()
    environment = os.environ | place.environment() | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"}
    ended = subprocess.run(
        [sys.executable, "-m", "tntpipe", *words],
        cwd=place.here,
        env=environment,
        capture_output=True,
        timeout=limit_s,
        umask=umask,
        check=False,
    )
    said = (stream.decode("utf-8", "backslashreplace") for stream in (ended.stdout, ended.stderr))
    return Ended(ended.returncode, *said, _changes(before, place))


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """While it lasts, ANTs is asked for its version, and each model is read, once for all commands of this process."""
    before = planned.find_programs, planned.check_model
    planned.find_programs, planned.check_model = cache(before[0]), cache(before[1])  # type: ignore[assignment]
    try:
        yield
    finally:
        planned.find_programs, planned.check_model = before


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined,no-any-return]


def _changes(before: dict[str, Any], place: Place) -> tuple[str, ...]:
    after = place.snapshot()
    return tuple(sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)))


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """An alarm that ends what takes longer than `LIMIT_S`."""

    def late(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"not over after {LIMIT_S:g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _watched(place: Place) -> Iterator[list[str]]:
    """What this process opens for writing, renames or removes outside the output and work folders."""
    global _seen
    _hook_once()
    _seen, touched = [], []
    try:
        yield touched
    finally:
        free = tuple(os.path.join(place.root, name) for name in FREE)  # noqa: PTH118
        touched += [path for path in _seen if not (path.startswith(free) or _is_pythons_own(path))]
        _seen = None


def _is_pythons_own(path: str) -> bool:
    return path == os.devnull or "__pycache__" in path


@cache
def _hook_once() -> None:
    sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is None:
        return
    if event == "open" and isinstance(arguments[0], str | bytes) and _opens_for_writing(*arguments[1:3]):
        _seen.append(_absolute(arguments[0]))
    elif event in _CHANGING:
        _seen.extend(_absolute(word) for word in arguments[:2] if isinstance(word, str | bytes))
    elif event == "socket.connect":
        _seen.append(f"connection to {arguments[1]}")


def _opens_for_writing(mode: object, flags: object) -> bool:
    return (
        bool(flags & _WRITING) if isinstance(flags, int) else isinstance(mode, str) and any(c in mode for c in "wax+")
    )


def _absolute(path: str | bytes) -> str:
    return str(Path.cwd() / os.fsdecode(path))
