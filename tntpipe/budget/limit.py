"""A limit: a figure, who set it, and how to speak of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most ``amount`` CPUs or bytes.

    ``source`` names who set it. ``claim`` says the same after "the 8 CPUs that …". ``excess`` is what befalls steps
    that use more memory than this. ``aside`` is what is worth saying of this limit where another one wins. A limit that
    is ``shared`` is what others leave just now.
    """

    amount: int
    source: str
    claim: str
    excess: str = ""
    aside: str = ""
    shared: bool = False


def ascending(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """The limits, smallest first; equal ones in the order given."""
    return tuple(sorted(limits, key=lambda limit: limit.amount))
