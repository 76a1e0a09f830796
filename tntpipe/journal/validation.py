"""Whether the fields that a journal's line gives to an event are of the kinds that the event declares.

Whatever folds over events may rely on it, whoever wrote the journal: no name is a list, no figure is a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

FIGURES = ("wall_s", "cpu_s", "peak_bytes")
"""What a usage must hold, if it holds anything."""

LARGEST = 1e18
"""Larger figures are none that a run has, and too large to be shown as times and sizes."""

Check = Callable[[Any], bool]


def fit(kind: type, fields: Mapping[str, Any]) -> bool:
    """Whether each of the fields may stand in an event of that class."""
    checks = _checks(kind)
    for name, value in fields.items():
        check = checks.get(name)
        if check is None or not check(value):
            return False
    usage = fields.get("usage")
    return not usage or all(_is_figure(usage.get(name)) for name in FIGURES)


@cache
def _checks(kind: type) -> dict[str, Check]:
    return {name: _check_of(hint) for name, hint in get_type_hints(kind).items()}


def _check_of(hint: Any) -> Check:
    """What tells whether a value is what an annotation says.

    >>> _check_of(float)(3), _check_of(int)(True), _check_of(Mapping[str, int])({"a": 2}), _check_of(tuple[str])((1,))
    (True, False, True, False)
    """
    if hint is Any:
        return lambda value: True
    if hint is float:
        return _is_figure
    if hint is int:
        return _is_integer
    origin = get_origin(hint) or hint
    if origin is tuple:
        item = _check_of(get_args(hint)[0])
        return lambda value: isinstance(value, tuple) and all(map(item, value))
    if origin is Mapping:
        key, item = map(_check_of, get_args(hint))
        return lambda value: isinstance(value, dict) and all(map(key, value)) and all(map(item, value.values()))
    return lambda value: isinstance(value, origin)


def _is_figure(value: Any) -> bool:
    return type(value) in (int, float) and -LARGEST < value < LARGEST


def _is_integer(value: Any) -> bool:
    return type(value) is int and -LARGEST < value < LARGEST
