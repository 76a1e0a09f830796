"""Figures, counts and names for human eyes."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

MIB = 2**20
GIB = 2**30

BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"),
)
"""M. Okabe and K. Ito's palette, which the colour-blind can tell apart: https://jfly.uni-koeln.de/color/."""
OTHER_COLOUR = "#8C8C8C"

KIND_COLOURS = {
    "nonlinear_registration": BLUE,
    "subcortical_nonlinear_registration": SKY,
    "tissue_registration": GREEN,
    "segmentation": ORANGE,
    "tissue_segmentation": ORANGE,
    "brain_registration": PURPLE,
    "linear_registration": VERMILION,
    "bias_field": YELLOW,
}
"""Of the kinds of step that take longest: the same in every picture and on every page. ``segmentation`` and
``tissue_segmentation`` share one: a scan has either."""


def kind_colour(kind: str) -> str:
    """The colour of a kind of step; one that is not in the table has always the same of the palette too.

    >>> kind_colour("segmentation"), kind_colour("a") == kind_colour("a")
    ('#E69F00', True)
    """
    palette = (SKY, PURPLE, VERMILION, GREEN, YELLOW, BLUE, ORANGE)
    return KIND_COLOURS.get(kind) or palette[crc32(kind.encode(errors="replace")) % len(palette)]


def duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> duration(59), duration(3724.6)
    ('0:59', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, hours always.

    >>> clock(59.6), clock(90_061)
    ('0:01:00', '25:01:01')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def format_gib(n_bytes: float) -> str:
    """Bytes as GiB for human eyes.

    >>> format_gib(1.5 * GIB), format_gib(30 * MIB)
    ('1.5 GiB', '0.03 GiB')
    """
    gib = n_bytes / GIB
    return f"{gib:.1f} GiB" if gib >= 1 or gib == 0 else f"{gib:.2f} GiB"


def counted(number: int, noun: str) -> str:
    """A number and its noun.

    >>> counted(1, "scan"), counted(2, "scan")
    ('1 scan', '2 scans')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Text in which a terminal finds nothing to obey: what is no character to be seen is escaped, but ends of lines.

    >>> printable("sub-1\\x1b[2J")
    'sub-1\\\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text)


def and_more(names: Sequence[str], most: int) -> str:
    """The first names, and how many others there are.

    >>> and_more(["a", "b", "c", "d"], 2), and_more(["a"], 2)
    ('a, b and 2 more', 'a')
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
