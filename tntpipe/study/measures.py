"""What was measured of a scan: the rows of its statistics tables, as they lie in the output folder.

A table that the scan's manifest does not list is another method's, and is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tntpipe.errors import TableError
from tntpipe.files import leads_inside
from tntpipe.imaging.tables import MISSING, read_table

COLUMNS = ("index", "name", "number_voxels", "volume", "mean")

SEGMENTATIONS = ("ICV", "brain", "tissue", "tissuelobes", "subcortex")
"""In the order of the table's columns."""

_NAME = re.compile(
    r"(?P<scan>.+?)_(?:label-(?P<label>ICV)|desc-(?P<desc>brain)"
    r"|(?:atlas-[0-9A-Za-z+]+_)?seg-(?P<seg>tissue|tissuelobes|subcortex))_stats\.tsv"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One label of a scan; ``is_sum`` where it holds others of the same table. No mean where it has no voxels."""

    segmentation: str
    name: str
    is_sum: bool
    n_voxels: int
    volume_mm3: float
    mean: float | None


def table_of(path: str) -> tuple[str, str] | None:
    """The scan and the segmentation that a table of statistics is of, by its path; None where it is of no use here.

    >>> table_of("sub-01/anat/sub-01_run-2_seg-tissuelobes_stats.tsv")
    ('sub-01_run-2', 'tissuelobes')
    >>> table_of("sub-01/anat/sub-01_desc-warpedmodelbrain_stats.tsv")
    """
    match = _NAME.fullmatch(path.rpartition("/")[2])
    return (match["scan"], match["label"] or match["desc"] or match["seg"]) if match else None


def measures_in(output_dir: Path, tables: Iterable[str]) -> tuple[Measure, ...]:
    """All that these tables say, in the order of the columns.

    Raises
    ------
    TableError
        One leads out of the output folder, or does not hold what tntpipe writes.
    FileNotFoundError
        One is not there, as while a run replaces it.
    """
    found: list[Measure] = []
    for name in sorted(tables, key=lambda name: (SEGMENTATIONS.index(_segmentation(name)), name)):
        path = output_dir / name
        if not leads_inside(path, output_dir):
            raise TableError(f"{path} leads out of the output folder.", remedy="Remove the symbolic link.")
        path.stat()  # the reader of tables has one error for whatever goes wrong
        found += (_measure(path, _segmentation(name), row) for row in read_table(path, COLUMNS))
    return tuple(found)


def _segmentation(name: str) -> str:
    table = table_of(name)
    assert table is not None
    return table[1]


def _measure(path: Path, segmentation: str, row: dict[str, str]) -> Measure:
    try:
        return Measure(
            segmentation=segmentation,
            name=row["name"],
            is_sum=row["index"] == MISSING,
            n_voxels=int(row["number_voxels"]),
            volume_mm3=float(row["volume"]),
            mean=None if row["mean"] == MISSING else float(row["mean"]),
        )
    except ValueError as error:
        raise TableError(
            f"{path}: {row['name']} has no figures: {error}.", remedy="tntpipe BIDS_DIR OUTPUT_DIR verify names it."
        ) from error
