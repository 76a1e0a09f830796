"""Every error that tntpipe raises on purpose.

An error states the fact, the remedy, and (where a file is to blame) the file; its class decides the exit status, whose
numbers are those of the BIDS execution specification's draft. Only the command line prints them or names options.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Mapping
from enum import IntEnum

SIGNALLED = 128
"""A run that a signal stopped returns this plus the signal's number, as a shell has it."""


WARNING_MARK = "tntpipe warns: "
"""What a line begins with that a step writes to its log for the user of the run; ITK writes ``WARNING:`` for itself."""

MEMORY_ERRORS = (
    "bad_alloc",
    "MemoryError",
    "cannot allocate memory",
    "failed to allocate memory",
    "unable to allocate",
)
"""What C++, Python, the C library, ITK and numpy say, in any case, when memory is not to be had."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a run to stop."""


class ExitStatus(IntEnum):
    """What the process returns; see ``docs/usage.md``."""

    SUCCESS = 0
    SCAN_FAILED = 1
    INVALID_BIDS = 16
    UNKNOWN_LEVEL = 17
    NOTHING_SELECTED = 18
    USAGE = 64
    BAD_DATA = 65
    INPUT_MISSING = 66
    PROGRAM_MISSING = 69
    SOFTWARE = 70
    CANNOT_CREATE_OUTPUT = 73
    INPUT_OUTPUT = 74
    TEMPORARY_FAILURE = 75
    HANGUP = SIGNALLED + 1
    INTERRUPTED = SIGNALLED + 2
    TERMINATED = SIGNALLED + 15


_FEWER = "or let fewer steps run at a time"
_REMEDIES: Mapping[int, str] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Make room there"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "See to it that you may write there"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), f"Raise the limit of open files (ulimit -n), {_FEWER}"),
    errno.EAGAIN: f"Raise the limit of processes (ulimit -u), {_FEWER}",
    errno.ENOMEM: f"End other programs, {_FEWER}",
    errno.EFBIG: "Raise the limit of a file's size (ulimit -f)",
    **dict.fromkeys((errno.ESTALE, errno.EIO, errno.ETIMEDOUT), "See to the disk or the file server"),
}


def told(error: OSError) -> tuple[str, str]:
    """What the system refused, with the file that it is about, and what to do about it.

    >>> told(OSError(errno.ENOSPC, "No space left on device", "/out/a.tsv"))[0]
    '/out/a.tsv: No space left on device'
    """
    fact = error.strerror or str(error)
    remedy = _REMEDIES.get(error.errno or 0, "See to the cause")
    again = "then give the same command again: what is finished is kept."
    return f"{error.filename}: {fact}" if error.filename else fact, f"{remedy}, {again}"


class TntpipeError(Exception):
    """A fact that stops something, with what to do about it."""

    exit_status = ExitStatus.SOFTWARE

    def __init__(self, fact: str, *, remedy: str = "") -> None:
        self.fact = fact
        self.remedy = remedy
        super().__init__(f"{fact} {remedy}".strip())


class UsageError(TntpipeError):
    """The command line, or a file that it names as settings, makes no sense."""

    exit_status = ExitStatus.USAGE


class DatasetError(TntpipeError):
    """The input folder is not a BIDS dataset that can be read."""

    exit_status = ExitStatus.INVALID_BIDS


class SelectionError(TntpipeError):
    """The dataset holds no scan that the selection admits."""

    exit_status = ExitStatus.NOTHING_SELECTED


class InputMissingError(TntpipeError):
    """A file or folder that was named is not there."""

    exit_status = ExitStatus.INPUT_MISSING


class ImageError(TntpipeError):
    """An image cannot be used: unreadable, empty, or of the wrong kind."""

    exit_status = ExitStatus.BAD_DATA


class TableError(TntpipeError):
    """A label, tag or resource table cannot be used."""

    exit_status = ExitStatus.BAD_DATA


class GraphError(TntpipeError):
    """The steps cannot be run as they stand: a cycle, two writers of one file, an input that nobody makes."""

    exit_status = ExitStatus.BAD_DATA


class BudgetError(TntpipeError):
    """A step asks for more than the whole budget."""

    exit_status = ExitStatus.USAGE


class ProgramMissingError(TntpipeError):
    """A program that a step runs is not installed."""

    exit_status = ExitStatus.PROGRAM_MISSING


class BusyError(TntpipeError):
    """Another run holds what this one needs."""

    exit_status = ExitStatus.TEMPORARY_FAILURE


class OutputError(TntpipeError):
    """The output or work folder cannot be written."""

    exit_status = ExitStatus.CANNOT_CREATE_OUTPUT
