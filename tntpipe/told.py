"""What the lines of a journal need not say again, and how it is put back.

A line about a step leaves out its scan, kind, CPUs and memory where they are what an earlier line of the step said
last, and its folder where that is the step's own in the work folder. Any line leaves out other fields that have their
default value. Invariant: what is put back is what was left out, as long as every line is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

SAID_ONCE = ("scan", "kind", "cpus", "mem_bytes")

LAST_WORDS = ("StepEnded", "StepDropped")
"""Events after which nothing more is said of a step: what was said of it is forgotten."""

NOT_OF_THE_REQUEST = ("StepSampled",)
"""Events in which these names mean something else."""


class Told:
    """What has been said of each step so far; one for whoever writes, one for whoever reads."""

    def __init__(self) -> None:
        self._steps_folder = ""
        self._by_step: dict[str, dict[str, Any]] = {}

    def shortened(self, kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of an event without those that go without saying."""
        told = self._told(kind, values)
        known = _defaults(kind) | told
        short = {name: value for name, value in values.items() if name not in known or known[name] != value}
        self._take_in(kind, told, values)
        return short

    def restored(self, kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of an event with those that its line left out because they had been said."""
        told = self._told(kind, values)
        whole = {name: told[name] for name in _names(kind) if name in told} | dict(values) if told else dict(values)
        self._take_in(kind, told, values)
        return whole

    def _told(self, kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
        """What was said of the step that an event is about."""
        name = values.get("name")
        if not isinstance(name, str) or kind.__name__ in NOT_OF_THE_REQUEST:
            return {}
        return self._by_step.setdefault(name, {"folder": f"{self._steps_folder}/{name}"})

    def _take_in(self, kind: type, told: dict[str, Any], values: Mapping[str, Any]) -> None:
        if kind.__name__ == "RunStarted":
            self._steps_folder = f"{values['folders'].get('work', '')}/steps"
        if kind.__name__ in LAST_WORDS:
            self._by_step.pop(values["name"], None)
        elif told:
            told |= {name: values[name] for name in SAID_ONCE if name in values}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@cache
def _defaults(kind: type) -> dict[str, Any]:
    return {field.name: field.default for field in fields(kind) if field.default is not MISSING}
