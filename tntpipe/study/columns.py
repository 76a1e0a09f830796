"""The columns of the study's tables: their names, and what their dictionaries say of them.

A column is described where it is made, so that table and dictionary cannot differ. A name that comes twice is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from tntpipe.errors import TableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; ``derived`` is one that is computed from others, so that adding it to them counts twice."""

    name: str
    description: str
    units: str = ""
    derived: bool = False
    levels: Mapping[str, str] = field(default_factory=dict)

    def entry(self) -> dict[str, object]:
        """What a BIDS dictionary says of it."""
        entry: dict[str, object] = {"Description": self.description}
        if self.units:
            entry["Units"] = self.units
        if self.derived:
            entry["Derivative"] = True
        if self.levels:
            entry["Levels"] = dict(self.levels)
        return entry


def dictionary(columns: Iterable[Column]) -> dict[str, object]:
    """The JSON beside a table.

    Raises
    ------
    TableError
        Two columns have one name.
    """
    entries: dict[str, object] = {}
    for column in columns:
        if column.name in entries:
            raise TableError(
                f"Two measures would both be the column {column.name}.",
                remedy="Rename one of the labels in the tables of the model or atlas, and run participant again.",
            )
        entries[column.name] = column.entry()
    return entries


@cache  # the same few for every scan
def snake_case(name: str) -> str:
    """A label's name in lower snake case, which pandas, R and formulas take as it is.

    >>> snake_case("GM+Frontal-R"), snake_case("BrainStem"), snake_case("VentralDC-L"), snake_case("3rd ventricle")
    ('gm_frontal_r', 'brain_stem', 'ventral_dc_l', 'x_3rd_ventricle')

    Raises
    ------
    TableError
        Nothing of it is a letter or digit of ASCII.
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    snake = re.sub("[^0-9a-z]+", "_", parted.lower()).strip("_")
    if not snake:
        raise TableError(
            f"The label {name!r} has no letter A-Z and no digit, so no column can be named after it.",
            remedy="Rename it in the table of the model or atlas, and run participant again.",
        )
    return f"x_{snake}" if snake[0].isdigit() else snake


@dataclass(frozen=True, slots=True)
class Structure:
    """What a label is: a tissue, a region and a side of the brain; empty where it names none."""

    tissue: str
    region: str
    hemisphere: str


def structure_of(name: str, *, is_tissue: bool = False) -> Structure:
    """The parts of a label's name.

    >>> structure_of("GM+Frontal-R"), structure_of("BrainStem")
    (Structure(tissue='GM', region='Frontal', hemisphere='R'), Structure(tissue='', region='BrainStem', hemisphere=''))
    >>> structure_of("GM", is_tissue=True)
    Structure(tissue='GM', region='', hemisphere='')
    """
    if is_tissue:
        return Structure(name, "", "")
    tissue, plus, region = name.rpartition("+")
    side = re.fullmatch("(.+)[-_]([LR])", region)
    return Structure(tissue if plus else "", side[1] if side else region, side[2] if side else "")
