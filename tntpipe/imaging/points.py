"""Points between NIfTI's world (RAS: x grows to the right, y to the front) and ANTs' (LPS: both the other way).

Decides only signs and file forms. A point goes through a transform the opposite way to an image: whoever names the
transform must know that.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

from tntpipe.errors import TableError
from tntpipe.imaging.tables import Point, Tags, read_tags

CSV_COLUMNS = ("x", "y", "z", "t", "label")  # antsApplyTransformsToPoints --help


def ras_to_lps(point: Point) -> Point:
    """The same place in the other frame, mm; its own inverse.

    >>> ras_to_lps((1.0, -2.0, 3.0))
    (-1.0, 2.0, 3.0)
    """
    return (-point[0], -point[1], point[2])


def write_points(path: str | Path, tags: Tags) -> None:
    """Write tags (RAS) as the CSV that antsApplyTransformsToPoints reads (LPS)."""
    with Path(path).open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        for point, index in zip(tags.points, tags.indices, strict=True):
            writer.writerow((*map(repr, ras_to_lps(point)), 0, index))


def points_to_ras(path: str | Path) -> tuple[Point, ...]:
    """Read the points (LPS) of a CSV of antsApplyTransformsToPoints, in its order, as RAS mm.

    Raises
    ------
    TableError
        No such file, no columns x, y and z, or a coordinate that is no finite number; file and line are named.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if not {"x", "y", "z"} <= set(reader.fieldnames or ()):
                raise TableError(f"{path}, line 1: has no columns x, y and z.")
            return tuple(_point(row, path, reader.line_num) for row in reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path}: is not a table of points ({error}).", remedy="Make it again.") from error
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror}).") from error


def tags_to_points_file(*, tags: str, output: str) -> None:
    """The command ``tags-to-points``."""
    write_points(output, read_tags(tags))


def _point(row: dict[str, str], path: str | Path, line: int) -> Point:
    try:
        point = (float(row["x"]), float(row["y"]), float(row["z"]))
    except (TypeError, ValueError):
        point = (math.nan, math.nan, math.nan)
    if not all(map(math.isfinite, point)):
        raise TableError(f"{path}, line {line}: does not hold three coordinates.")
    return ras_to_lps(point)
