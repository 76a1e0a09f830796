"""What the words of an option may be: paths, numbers within limits, and lists that are typed in several goes.

Each refuses, in words, what it cannot take; argparse puts the option's name before them.
"""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path
from typing import Any

LARGEST_GIB = 2.0**20
"""A pebibyte: more is a slip of the finger."""

SMALLEST_GIB = 0.001
"""About a MiB: less is none."""

LARGEST_INTENSITY = 1e9
"""Rescaled intensities are 32-bit numbers, and what is computed from them must not overflow either."""

LARGEST_COUNT = 2**31 - 1


def path(text: str) -> Path:
    """A path, as typed; ``~`` at its beginning is the home folder, which a shell leaves as it is after ``=``."""
    if not text:
        raise argparse.ArgumentTypeError("an empty word is no path; a variable of the shell may be unset")
    try:
        return Path(text).expanduser() if text.startswith("~") else Path(text)  # Path("./~x") is Path("~x")
    except RuntimeError:
        home = text.split("/")[0]
        raise argparse.ArgumentTypeError(f"{home} is nobody's home folder; a folder of that name is ./{home}") from None


def number(low: float = -math.inf, high: float = math.inf) -> Any:
    """A finite number within limits."""

    def checked(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            limits = f" from {low:g} to {high:g}" if low > -math.inf else ""
            raise argparse.ArgumentTypeError(f"{text} is not a number{limits}")
        return value

    return checked


def count(low: int) -> Any:
    """A whole number from ``low``."""

    def checked(text: str) -> int:
        if not re.fullmatch("[0-9]{1,10}", text) or not low <= int(text) <= LARGEST_COUNT:
            shown = text if len(text) <= 40 else f"{text[:40]}…"
            raise argparse.ArgumentTypeError(f"{shown} is not a whole number from {low} to {LARGEST_COUNT}")
        return int(text)

    return checked


def several(kind: Any) -> Any:
    """One value as it is, or a tuple of those that have commas between them."""

    def checked(text: str) -> Any:
        values = tuple(kind(word.strip()) for word in text.split(","))
        return values if len(values) > 1 else values[0]

    return checked


class Typed(list[str]):
    """Values that were typed, not those of a default."""


class Gather(argparse.Action):
    """Gathers the values of an option that is given several times; those of a default give way."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, Typed([*before, *values] if isinstance(before, Typed) else values))
