"""The tab-separated tables that go with images: labels, tags, and the tables that are written.

Decides what a valid label or tag table is, and says by file and line why one is not. Standard library only, so that the
main process can check the tables it was given at no cost; knows nothing of voxels.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tntpipe.errors import TableError

MISSING = "n/a"  # BIDS specification, "Tabular files"
SHOWN = 40
"""So many characters of a word that makes no sense are shown."""

MIN_TAGS = 20
"""Fewest tags of a class: the standard error of a median of 20 is about 0.28 standard deviations, a tenth of what lies
between grey and white matter on a T1w."""

LARGEST_INDEX = 999_999
"""Statistics take memory for every index up to the largest; published atlases of people stay below 100 000."""

_EACH = "Give each label an index and a name of its own."
_TABS = "Columns are separated by tabs."

Point = tuple[float, float, float]
Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Label:
    """One value of a label map and its name.

    ``mapping`` is the index that BIDS gives the same structure, and ``group`` the larger structure that it is a part
    of, where the table has them.
    """

    index: int
    name: str
    mapping: int | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Tags:
    """World positions (mm, RAS) known to lie in a class, and the label index of the class of each."""

    points: tuple[Point, ...]
    indices: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.points) != len(self.indices):
            raise ValueError(f"{len(self.points)} points cannot have {len(self.indices)} indices")


def read_labels(path: str | Path) -> tuple[Label, ...]:
    """Read a label table: columns ``index`` and ``name``, optionally ``mapping`` and ``group``; any others are ignored.

    Raises
    ------
    TableError
        A column is missing, an index is no integer from 0 to `LARGEST_INDEX`, or an index or name comes twice; file and
        line are named.
    """
    labels: dict[int, Label] = {}
    lines: dict[str, int] = {}
    for line, row in _rows(path, required=("index", "name")):
        index = _index(row["index"], path, line)
        name = row["name"]
        if not name or name == MISSING:
            raise TableError(f"{path}, line {line}: label {index} has no name.", remedy=_EACH)
        if not name.isprintable():
            raise TableError(f"{path}, line {line}: the name {name!r} cannot be printed.", remedy="Write it again.")
        if index in labels:
            raise TableError(
                f"{path}, line {line}: index {index} is given twice (also to {labels[index].name}).", remedy=_EACH
            )
        if name in lines:
            raise TableError(
                f"{path}, line {line}: name {name} is given twice (also on line {lines[name]}).", remedy=_EACH
            )
        mapping = row.get("mapping", MISSING)
        mapped = None if mapping in ("", MISSING) else _index(mapping, path, line)
        group = row.get("group", MISSING)
        labels[index] = Label(index, name, mapped, None if group in ("", MISSING) else group)
        lines[name] = line
    if not any(labels):
        raise TableError(f"{path}: lists no label other than 0.", remedy=_EACH)
    return tuple(labels.values())


def read_tags(path: str | Path, labels: Iterable[Label] | None = None, *, minimum: int = MIN_TAGS) -> Tags:
    """Read a tag table: columns ``x``, ``y``, ``z`` (mm, RAS) and ``index``; any others are ignored.

    Parameters
    ----------
    labels
        Where given, the classes that the tags must have: no tag of another, and ``minimum`` of each but 0.

    Raises
    ------
    TableError
        A coordinate is no finite number, an index is no class, or a class has fewer than ``minimum`` tags.
    """
    points: list[Point] = []
    indices: list[int] = []
    names = None if labels is None else {label.index: label.name for label in labels if label.index}
    for line, row in _rows(path, required=("x", "y", "z", "index")):
        index = _index(row["index"], path, line)
        if names is not None and index not in names:
            raise TableError(
                f"{path}, line {line}: index {index} is not in the table of classes.",
                remedy="Add it there, or mend it.",
            )
        points.append((_number(row["x"], path, line), _number(row["y"], path, line), _number(row["z"], path, line)))
        indices.append(index)
    counts = Counter(indices)
    for index in sorted(counts if names is None else names):
        if counts[index] < minimum:
            name = str(index) if names is None else f"{index} ({names[index]})"
            raise TableError(
                f"{path}: class {name} has {counts[index]} tags, at least {minimum} are needed.", remedy="Place more."
            )
    if not points:
        raise TableError(f"{path}: holds no tags.", remedy="Place some.")
    return Tags(tuple(points), tuple(indices))


def read_table(path: str | Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table that has at least ``columns``, as text; TableError where it has not."""
    return [row for _, row in _rows(path, required=columns)]


def write_table(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a table: tabs, ``n/a`` for what is missing, numbers with the fewest digits that read back the same."""
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        for row in (columns, *rows):
            file.write("\t".join(map(cell_text, row)) + "\n")


def write_labels(path: str | Path, labels: Iterable[Label]) -> None:
    """Write a label table, with the column ``mapping`` where any label has one."""
    labels = tuple(labels)
    mapped = any(label.mapping is not None for label in labels)
    columns = ("index", "name", "mapping") if mapped else ("index", "name")
    write_table(path, columns, ([getattr(label, column) for column in columns] for label in labels))


def cell_text(cell: Cell) -> str:
    """A cell as text.

    >>> cell_text(0.1), cell_text(3), cell_text(None), cell_text(float("nan"))
    ('0.1', '3', 'n/a', 'n/a')
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return MISSING
    return cell if isinstance(cell, str) else repr(cell)


def _rows(path: str | Path, *, required: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror}).", remedy="Check its permissions.") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: is not text in UTF-8.", remedy="Save it as text in UTF-8, with tabs.") from error
    lines = text.splitlines()
    header = [name.strip() for name in lines[0].split("\t")] if lines else []
    absent = [name for name in required if name not in header]
    if absent:
        raise TableError(f"{path}, line 1: has no column {', '.join(absent)}.", remedy=_TABS)
    twice = [name for name in required if header.count(name) > 1]
    if twice:
        raise TableError(f"{path}, line 1: has the column {twice[0]} twice.", remedy="Leave one of them out.")
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != len(header):
            fact = f"has {len(cells)} columns, the first line has {len(header)}."
            raise TableError(f"{path}, line {number}: {fact}", remedy=_TABS)
        yield number, dict(zip(header, cells, strict=True))


def _index(text: str, path: str | Path, line: int) -> int:
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) > LARGEST_INDEX:
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
        raise TableError(
            f"{path}, line {line}: {shown!r} is not an index.",
            remedy=f"Indices are whole numbers from 0 to {LARGEST_INDEX}.",
        )
    return int(text)


def _number(text: str, path: str | Path, line: int) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise TableError(
            f"{path}, line {line}: {text!r} is not a coordinate in mm.", remedy="Write numbers like -12.5."
        )
    return number
