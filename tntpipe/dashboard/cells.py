"""What the display shows of names and amounts: texts that a terminal cannot take for commands, bars of several parts.

Lines are laid out and measured by rich. Its progress bars have one part; those here tell done from failed and running.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

FULL, TAKEN, EMPTY = "█", "▒", "·"

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """Text of any origin on one line: white space as single blanks, and nothing that a terminal would obey.

    >>> clean("two\\n lines \\x1b[2J")
    'two lines �[2J'
    """
    return text if text.isascii() and text.isprintable() else _UNPRINTABLE.sub("\ufffd", " ".join(text.split()))


def line(*parts: tuple[str, str]) -> Text:
    """Texts and their styles on one line, cut short where it ends; nothing in them is markup."""
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


class Part(NamedTuple):
    """Characters of one style."""

    text: str
    style: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of parts, each an amount, a character and a style, drawn one after another up to ``whole``.

    Amounts add up; an amount that is not nothing is at least seen, and a bar is full only when its parts are all there
    is.

    >>> "".join(segment.text for segment in Bar(8, 100, ((50, FULL, ""), (25, TAKEN, ""))).segments())
    '████▒▒··'
    >>> "".join(segment.text for segment in Bar(8, 1000, ((1, FULL, ""), (998, TAKEN, ""))).segments())
    '█▒▒▒▒▒▒·'
    """

    width: int
    whole: float
    parts: tuple[tuple[float, str, str], ...]

    def segments(self) -> Iterator[Part]:
        """Its parts, drawn."""
        amount, begin = 0.0, 0
        for part, character, style in self.parts:
            amount += part
            end = min(self.width, int(self.width * amount / self.whole + 0.5)) if self.whole > 0 else 0
            if part > 0:
                end = max(end, begin + 1)
            if end == self.width and amount < self.whole and begin < self.width - 1:
                end = self.width - 1
            end = min(end, self.width)
            if end > begin:
                yield Part(character * (end - begin), style)
                begin = end
        if begin < self.width:
            yield Part(EMPTY * (self.width - begin), "dim")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for text, style in self.segments():
            yield Segment(text, console.get_style(style))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.width, self.width)
