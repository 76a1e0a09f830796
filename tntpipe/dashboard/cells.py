"""Lines of styled text and bars, measured in terminal cells.

A line is a tuple of spans, a span a text and the name of a style; nothing in a text is markup. Rich's own ``Text`` does
the same and more, but takes several times as long, and the screen is drawn four times a second for days.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

Span = tuple[str, str]
Line = tuple[Span, ...]

ELLIPSIS = "…"
FULL, HALF, TAKEN, EMPTY = "█", "▌", "▒", "·"

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """Text of any origin on one line: white space as single blanks, and nothing that a terminal would obey.

    >>> clean("two\\n lines \\x1b[2J")
    'two lines �[2J'
    """
    return text if text.isascii() and text.isprintable() else _UNPRINTABLE.sub("\ufffd", " ".join(text.split()))


def width_of(text: str) -> int:
    """How many cells a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly so many cells, filled up with blanks or cut short.

    >>> fit("memory", 8), fit("memory", 4), fit("7", 3, right=True)
    ('memory  ', 'mem…', '  7')
    """
    missing = width - width_of(text)
    if missing >= 0:
        return " " * missing + text if right else text + " " * missing
    return set_cell_size(text, width - 1) + ELLIPSIS if width > 0 else ""


def fit_step(name: str, width: int) -> str:
    """A step's name ``scan/kind`` in so many cells; where it is too long, the scan gives way first.

    >>> fit_step("sub-0123456789/bias_correction", 24)
    'sub-012…/bias_correction'
    """
    scan, slash, kind = name.rpartition("/")
    room = width - width_of(kind) - 1
    if width_of(name) <= width or room < 4:
        return fit(name, width)
    return fit(scan, room) + slash + kind


def cut(line: Line, width: int) -> Line:
    """The line in at most so many cells."""
    room, spans = width, []
    for text, style in line:
        cells = width_of(text)
        if cells > room:
            if room > 0:
                spans.append((fit(text, room), style))
            return tuple(spans)
        room -= cells
        spans.append((text, style))
    return line


def filled(line: Line, width: int) -> Line:
    """The line in exactly so many cells."""
    line = cut(line, width)
    missing = width - sum(width_of(text) for text, _ in line)
    return (*line, (" " * missing, "")) if missing else line


def bar(width: int, whole: float, parts: Iterable[tuple[float, str, str]]) -> Line:
    """A bar of parts, each an amount, a character and a style, drawn one after another up to ``whole``.

    Amounts add up; an amount that is not nothing is at least seen, and a bar is full only when its parts are all there
    is.

    >>> "".join(text for text, _ in bar(8, 100, [(50, FULL, ""), (25, TAKEN, "")]))
    '████▒▒··'
    >>> "".join(text for text, _ in bar(8, 1000, [(1, FULL, ""), (998, TAKEN, "")]))
    '█▒▒▒▒▒▒·'
    """
    spans: list[Span] = []
    amount, begin = 0.0, 0
    for part, character, style in parts:
        amount += part
        end = min(width, int(width * amount / whole + 0.5)) if whole > 0 else 0
        if part > 0:
            end = max(end, begin + 1)
        if end == width and amount < whole and begin < width - 1:
            end = width - 1
        end = min(end, width)
        if end > begin:
            spans.append((character * (end - begin), style))
            begin = end
    if begin < width:
        spans.append((EMPTY * (width - begin), "dim"))
    return tuple(spans)
