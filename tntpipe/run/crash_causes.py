"""Why a step failed, as far as its end and its log tell, and what to do about that; pure.

What is not recognised has the general advice alone: a wrong guess sends people the wrong way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from signal import Signals

from tntpipe.errors import MEMORY_ERRORS
from tntpipe.run.ants_messages import ANTS_MESSAGES, AntsMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """How a step ended: ``exit_code`` is negative for a signal, None for one that was never started.

    ``text`` is the message and the end of the log; ``scan`` names the scan, and is empty for a step that all share.
    """

    exit_code: int | None
    text: str
    scan: str

    def says(self, *patterns: str) -> bool:
        """Whether the text has any of these, in any case."""
        return any(re.search(pattern, self.text, re.IGNORECASE) for pattern in patterns)

    def died_of(self, *signals: Signals) -> bool:
        """Whether one of these signals ended it, itself or a program that it had started."""
        return self.exit_code is not None and any(self.exit_code in (-number, 128 + number) for number in signals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A cause, how it is known, and what to do about it, a thing a line."""

    name: str
    is_it: Callable[[Death], bool]
    advice: tuple[str, ...]


def _of_ants(message: AntsMessage) -> Cause:
    return Cause(name=message.meaning, is_it=lambda death: death.says(*message.patterns), advice=message.advice)


SAME_COMMAND = "give the same command again: it goes on where it was"

CAUSES = (
    Cause(
        name="memory ran out",
        is_it=lambda death: death.says(r"^out of memory", *MEMORY_ERRORS),
        advice=(
            "give the run more memory (--memory_gb; in a batch job, ask for more), or fewer CPUs (--n_proc), so that",
            "  fewer steps hold memory at a time;",
            "if other programs share the machine, see what they take: free -h; dmesg -T | grep -i 'killed process'.",
        ),
    ),
    Cause(
        name="a disk is full",
        is_it=lambda death: death.says(
            "no space left on device", "disk quota exceeded", "file too large", r"errno (28|122|27)\b"
        ),
        advice=(
            "make room; df -h and df -i show what is free, quota what you may have;",
            "the work folder may lie on another disk: --working_directory DIR.",
        ),
    ),
    Cause(
        name="a program cannot be run",
        is_it=lambda death: (
            death.exit_code in (126, 127)
            or death.says("could not be started", "error while loading shared libraries", "exec format error")
        ),
        advice=(
            "check that the program of the command is there and may be run: on this host too, if hosts differ;",
            "ANTs is taken from $ANTSPATH, from PATH, or from the Python package antspyx: --dry_run says which one.",
        ),
    ),
    Cause(
        name="a Python package is missing or broken",
        is_it=lambda death: death.says(r"^(.*: )?(ModuleNotFoundError|ImportError): (?!.*tntpipe)"),
        advice=(
            "the scan is not to blame: pip check shows what does not fit together in this Python environment;",
            "install tntpipe into an environment of its own, which nobody changes while a run lasts.",
        ),
    ),
    *map(_of_ants, ANTS_MESSAGES),
    Cause(
        name="the program needs another processor",
        is_it=lambda death: death.died_of(Signals.SIGILL),
        advice=(
            "the program was built for a newer processor than this host has: run on another host, or set $ANTSPATH",
            "  to an ANTs that was built for this one.",
        ),
    ),
    Cause(
        name="a limit of the system on one process",
        is_it=lambda death: death.died_of(Signals.SIGXCPU, Signals.SIGXFSZ),
        advice=(
            "ulimit -a shows the limits on CPU time and file size that this shell gives its programs: raise them.",
        ),
    ),
    Cause(
        name="the program crashed",
        is_it=lambda death: death.died_of(Signals.SIGSEGV, Signals.SIGBUS, Signals.SIGABRT, Signals.SIGFPE),
        advice=(
            "look at the inputs in a viewer (the links in the folder's in/): ANTs crashes on images that are empty,",
            "  cut off, or that do not lie on one another; and at the memory that was free: it crashes without any;",
            "if the scan is not usable, leave it out: {exclude}.",
        ),
    ),
    Cause(
        name="it was killed",
        is_it=lambda death: death.died_of(Signals.SIGKILL, Signals.SIGTERM, Signals.SIGINT, Signals.SIGHUP),
        advice=(
            "somebody, or a batch system, killed this one process: nothing is wrong with the scan;",
            f"{SAME_COMMAND};",
            "if it was the kernel because memory ran out, dmesg -T | grep -i 'killed process' says so.",
        ),
    ),
    Cause(
        name="a file may not be read or written",
        is_it=lambda death: death.says("permission denied", "read-only file system", "operation not permitted"),
        advice=("see to the permissions of the file that the message names, for the user who runs tntpipe.",),
    ),
    Cause(
        name="a file is not there or was changed",
        is_it=lambda death: death.says(
            "no such file or directory", "stale file handle", "was changed while", "cannot be prepared"
        ),
        advice=(
            "see that nobody moves or writes to the dataset and the work folder while the run lasts,",
            "  and that the disk which holds them is there.",
        ),
    ),
)


def cause_of(death: Death) -> Cause | None:
    """The first cause that fits."""
    return next((cause for cause in CAUSES if cause.is_it(death)), None)


def advice_on(death: Death) -> Sequence[str]:
    """What to do about it, a thing a line; nothing where the cause is not known."""
    cause = cause_of(death)
    return () if cause is None else tuple(line.format(exclude=_exclude(death.scan)) for line in cause.advice)


def _exclude(scan: str) -> str:
    match = re.match(r"sub-([^_/]+)", scan)
    return f"--exclude_participant_labels {match[1] if match else 'LABEL'}"
