"""Whether the figures of a resource file make sense: known names and keys, numbers of the right kind and size.

It refuses to know what they are for. What is wrong is told in words, each with the step, the key and the value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

LARGEST_GIB = 2.0**20
LARGEST_CPUS = 4096
LONGEST_S = 3.2e7
"""Larger figures are slips of the finger: a pebibyte, a year."""


def problems_of_steps(content: Mapping[str, Any], kinds: Collection[str]) -> Iterable[str]:
    """What is wrong with figures by step, each of which is one of ``kinds``."""
    for name, step in content.items():
        if name not in kinds:
            nearest = _nearest(name, kinds)
            yield f"No step is called {name!r}" + (f"; the nearest is {nearest!r}." if nearest else ".")
        elif not isinstance(step, dict):
            yield f"{name!r} is {shown(step)}, not an object of figures."
        else:
            yield from _problems_of_step(name, step)


def _problems_of_step(name: str, step: Mapping[str, Any]) -> Iterable[str]:
    good: dict[str, Any] = {}
    for key, value in step.items():
        if key not in _CHECKS:
            nearest = _nearest(key, _CHECKS)
            yield f"{name!r} has {key!r}, which means nothing" + (f"; {nearest!r} would." if nearest else ".")
        elif value is not None and not _CHECKS[key].holds(value):
            yield f"{key!r} of {name!r} is {shown(value)}, not {_CHECKS[key].wanted}."
        else:
            good[key] = value
    if good.get("mem_least") and good.get("mem") and good["mem_least"] > good["mem"]:
        yield f"'mem_least' of {name!r} is {good['mem_least']}, more than its 'mem', {good['mem']}."


def _nearest(word: str, words: Collection[str]) -> str | None:
    """The most similar word; of a name with a participant in it, the part after that counts."""
    last = word.replace(".", "/").rpartition("/")[2]
    return next(iter(get_close_matches(last, words, n=1, cutoff=0.0)), None)


def shown(value: Any) -> str:
    """A value as it stands in the file, cut short."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}…"


@dataclass(frozen=True, slots=True)
class _Check:
    wanted: str
    holds: Callable[[Any], bool]


def _number(low: float, high: float, *, above: bool = False) -> _Check:
    def holds(value: Any) -> bool:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and (low < value if above else low <= value) and value <= high

    return _Check(f"a number {'above' if above else 'from'} {low:g} {'and up ' if above else ''}to {high:g}", holds)


def _count(low: int, high: int) -> _Check:
    def holds(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return _Check(f"a whole number from {low} to {high}", holds)


_MANY = 2**53
_CHECKS: Mapping[str, _Check] = {
    "ncpu": _count(1, LARGEST_CPUS),
    "cpumax": _number(0, 100 * LARGEST_CPUS),
    "mem": _number(0, LARGEST_GIB, above=True),
    "time": _number(0, LONGEST_S),
    "variant": _Check("a word", lambda value: isinstance(value, str)),
    "voxels": _count(1, _MANY),
    "mem_bytes_per_voxel": _number(0, 1e12),
    "mem_least": _number(0, LARGEST_GIB),
    "thread_overhead": _number(0, 1),
    **{key: _count(0, _MANY) for key in ("n", "n_time", "n_speed_up")},
    "peak": _number(0, LARGEST_GIB),
    "padding": _number(1, 10),
    "correlation": _number(-1, 1),
}
