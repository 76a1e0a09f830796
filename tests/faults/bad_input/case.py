"""One case of bad (or odd but good) input, and the judgement of how the command took it.

A bad one must end with its documented status and say, in one message, the file or option, the fact and the remedy; a
good one is accepted, and the case says why it is good. Either way: no traceback, nothing written where it may not be,
and the sound scan beside a broken one is planned all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bad_input.place import SOUND, Place
from bad_input.running import Command, Ended
from tntpipe.errors import ExitStatus

Arrange = Callable[[Place], Command | Sequence[object] | None]
"""Breaks something in the place; gives the words that come after the usual ones of the command, or all."""

SCAN_REFUSED = int(ExitStatus.SCAN_FAILED)


@dataclass(frozen=True, kw_only=True)
class Case:
    """``says`` are the words that the message must hold: file or option, fact, remedy; ``good`` says why the input is
    accepted where it is."""

    name: str
    arrange: Arrange
    status: int
    says: tuple[str, ...] = ()
    good: str = ""

    def __post_init__(self) -> None:
        if bool(self.good) != (self.status == 0) or (self.status and len(self.says) < 3):
            raise ValueError(f"{self.name}: a refusal says what, why and what to do; what is accepted has its reason")


def refused(name: str, arrange: Arrange, *says: str, status: int = SCAN_REFUSED) -> Case:
    """Input that the command must refuse; by default one scan of it."""
    return Case(name=name, arrange=arrange, status=status, says=says)


def accepted(name: str, arrange: Arrange, why: str, *says: str) -> Case:
    """Input that looks odd and is good."""
    return Case(name=name, arrange=arrange, status=0, good=why, says=says)


def faults_of(case: Case, ended: Ended) -> list[str]:
    """What is wrong with how the command took the case; nothing where it did as it must."""
    faults = [f"{path} was written" for path in ended.changed]
    if ended.status != case.status:
        faults.append(f"exit status {ended.status}, not {case.status}")
    if "Traceback" in ended.said:
        faults.append("a traceback")
    if any(letter != "\n" and not letter.isprintable() for letter in ended.said):
        faults.append("something in the message that a terminal obeys")
    message = _message(case, ended)
    faults += [f"the message does not say {words!r}" for words in case.says if words not in message]
    if case.status in (0, SCAN_REFUSED) and f"\n{SOUND}\n" not in ended.out:
        faults.append("the sound scan is not planned")
    if case.status not in (0, SCAN_REFUSED) and ended.err.count("tntpipe: ") != 1:
        faults.append("not one message")
    return faults


def _message(case: Case, ended: Ended) -> str:
    """The words that tell of the case: all of an error's, the lines about the scan that is refused."""
    if case.status == SCAN_REFUSED:
        lines = [line for line in ended.out.splitlines() if line.startswith("refused ")]
        return "\n".join(lines) if len(lines) == 1 else f"{len(lines)} refusals: {lines}"
    return ended.said if case.status == 0 else ended.err
