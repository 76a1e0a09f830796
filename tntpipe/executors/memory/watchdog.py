"""Keeps what children really use within the memory budget, whatever they were expected to use.

A pure rule over what the monitor saw last: who took more than asked, whether so much is used that nothing more should
start, and whom to stop when there is more than the budget. It knows no process. A child that is being stopped counts no
more, so that one too many does not cost two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PRESSED_AT = 0.95
RELEASED_AT = 0.9
"""Parts of the budget from which on nothing more starts, and below which it does again."""

HURRY_AT = 0.8
"""Part of the budget from which on every child is looked at often: it could grow into the rest within a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a running child was given and what it uses; ``since`` is on the caller's clock."""

    name: str
    request_bytes: int
    real_bytes: int
    since: float
    moldable: bool
    stopping: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``grown`` are the children above their request, ``stop`` those to stop and run again later."""

    pressed: bool
    hurry: bool
    grown: tuple[Held, ...] = ()
    stop: tuple[Held, ...] = ()


class Watchdog:
    """Watches a budget of ``budget_bytes``; remembers only whether memory was pressed."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._pressed = False

    def look(self, children: Iterable[Held]) -> Verdict:
        """Judge all children as they were last seen.

        The youngest moldable one is stopped first: it has the least to lose, and the registrations are those that hold
        much; where none is moldable, the youngest.
        """
        left = [child for child in children if not child.stopping]
        used = sum(child.real_bytes for child in left)
        self._pressed = used >= (RELEASED_AT if self._pressed else PRESSED_AT) * self._budget_bytes
        grown = tuple(child for child in left if child.real_bytes > child.request_bytes)
        hurry = bool(grown) or used >= HURRY_AT * self._budget_bytes
        stop = []
        for child in sorted(left, key=lambda child: (child.moldable, child.since, child.name), reverse=True):
            if used <= self._budget_bytes:
                break
            stop.append(child)
            used -= child.real_bytes
        return Verdict(pressed=self._pressed, hurry=hurry, grown=grown, stop=tuple(stop))
