"""JSON in, typed values out: the one door through which JSON files are read.

Strict: no number is made from a word, NaN is none, no figure is larger than any that a run has. What does not fit is a
``ValueError`` that says where in the JSON it stands and what was expected there; the caller names the file.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

LARGEST = 10**18

Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
Figure = Annotated[float, msgspec.Meta(ge=0, le=float(LARGEST))]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
"""A span or a moment since 1970; a larger one has no date."""
Status = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
"""How a process ended; negative for a signal."""

T = TypeVar("T")


def decoded(text: str | bytes, kind: type[T]) -> T:
    """What a JSON text says, as a value of this type; keys that a class does not have are passed over.

    >>> decoded('{"a": 1}', dict[str, int])
    {'a': 1}
    >>> decoded('{"a": "1"}', dict[str, int])
    Traceback (most recent call last):
    ValueError: expected `int`, got `str` - at `$[...]`

    Raises
    ------
    ValueError
        It is not JSON, or says something else.
    """
    try:
        return _decoder(kind).decode(text)  # type: ignore[no-any-return, arg-type]
    except msgspec.ValidationError as error:
        raise _misfit(error) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return fitting(_parsed(text), kind)


def fitting(value: Any, kind: type[T]) -> T:
    """Parsed JSON as a value of this type; ValueError as in :func:`decoded`."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _misfit(error) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_decoded(path: Path, kind: type[T]) -> T | None:
    """What a JSON file says, None where it cannot be read or says something else."""
    try:
        return decoded(path.read_bytes(), kind)
    except (OSError, ValueError):
        return None


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _parsed(text: str | bytes) -> Any:
    """By Python's parser, which says where JSON is broken, and knows the escapes of a path in another encoding."""
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error


def _misfit(error: msgspec.ValidationError) -> ValueError:
    words = str(error)
    return ValueError(words[:1].lower() + words[1:])


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _finite(text: str) -> float:
    return value if abs(value := float(text)) <= LARGEST else _no_number(text)
