"""The rows of the study: a scan a row, or a structure of a scan a row.

Decides what the columns are and in which order, and how figures are written: volumes with one decimal, fractions with
five, other figures with six digits. Every scan has a row in the wide table; what was not measured is ``n/a``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from tntpipe.bids.entities import key_of
from tntpipe.errors import TableError
from tntpipe.formatting import printable
from tntpipe.imaging.tables import MISSING, cell_text
from tntpipe.study.columns import Column, dictionary, snake_case, structure_of
from tntpipe.study.measures import Measure
from tntpipe.study.outcomes import DONE, STATUSES
from tntpipe.study.scans import ScanRecord

KEYS = {
    "sub": Column(name="participant_id", description="Participant, as in participants.tsv."),
    "ses": Column(name="session_id", description="Session, with its prefix ses-."),
    "acq": Column(name="acq", description="Label of the acquisition."),
    "rec": Column(name="rec", description="Label of the reconstruction."),
    "run": Column(name="run", description="Index of the run, as in the file's name."),
}
"""What tells scans apart; other entities that a scan's name has come behind."""

STATE = (
    Column(name="status", description="Whether the scan has figures.", levels=STATUSES),
    Column(name="reason", description="Why it has none."),
    Column(name="warnings", description="What is doubtful of it: look at the scan before use."),
)
METHOD = (
    Column(name="preset", description="Preset of the registrations."),
    Column(name="model", description="Model that was registered to the scan."),
    Column(name="tntpipe", description="Version of tntpipe."),
    Column(name="ants", description="Version of ANTs."),
    Column(name="method", description="The same for scans that were made with the same versions and parameters."),
)
_METHOD_KEYS = {"preset": "registration", "model": "model", "tntpipe": "tntpipe_version", "ants": "ants_version"}

MM3 = "mm^3"
VOXEL = Column(name="voxel_mm3", description="Volume of a voxel.", units=MM3)
TOTALS = {
    ("ICV", "intracranial"): Column(name="icv_mm3", description="Intracranial volume.", units=MM3),
    ("brain", "brain"): Column(name="brain_mm3", description="Volume of the brain mask.", units=MM3),
    ("tissue", "GM"): Column(name="gm_mm3", description="Grey matter of the whole brain.", units=MM3),
    ("tissue", "WM"): Column(name="wm_mm3", description="White matter of the whole brain.", units=MM3),
    ("tissue", "CSF"): Column(name="csf_mm3", description="Cerebrospinal fluid in the brain mask.", units=MM3),
}
"""Columns of every study, by segmentation and label; the other labels follow."""

BRAIN_ICV = Column(name="brain_icv", description="brain_mm3 / icv_mm3.", derived=True)

LONG = (
    Column(
        name="segmentation",
        description="Which label map the structure is of; those of one map do not overlap, those of two do.",
        levels={
            "ICV": "Intracranial mask",
            "brain": "Brain mask",
            "tissue": "Tissues of the whole brain",
            "tissuelobes": "Tissues by lobe",
            "subcortex": "Subcortical structures",
        },
    ),
    Column(name="tissue", description="Tissue, n/a where the structure is not one of a tissue."),
    Column(name="region", description="Lobe, nucleus or mask; n/a for the whole brain."),
    Column(name="hemisphere", description="Side, n/a for both or neither.", levels={"L": "left", "R": "right"}),
    Column(name="n_voxels", description="Number of voxels that carry the label."),
    Column(name="volume_mm3", description="Number of voxels times the volume of one.", units=MM3),
    Column(name="mean_intensity", description="Mean of the bias-corrected T1w over the voxels.", units="arbitrary"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of cells as they are written, and the dictionary that goes beside them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    dictionary: Mapping[str, Any]

    def text(self) -> str:
        """As tab-separated values."""
        return "".join("\t".join(line) + "\n" for line in (self.columns, *self.rows))


def wide_table(scans: Sequence[ScanRecord]) -> Table:
    """A row a scan, done or not.

    Raises
    ------
    TableError
        Two measures would be one column.
    """
    columns = (*_keys(scans), *STATE, *METHOD, VOXEL, *TOTALS.values(), BRAIN_ICV, *_structures(scans))
    return _table(columns, (_wide_row(record) for record in scans))


def long_table(scans: Sequence[ScanRecord]) -> Table:
    """A row for each structure of each scan that is done; sums of other rows are left out."""
    rows = (
        _key_cells(record) | _long_row(measure) for record in scans for measure in record.measures if not measure.is_sum
    )
    return _table((*_keys(scans), *LONG), rows)


def phenotype_table(scans: Sequence[ScanRecord]) -> Table:
    """The wide table as a BIDS phenotype: only scans that are done, keys that are used, and figures."""
    done = [record for record in scans if record.outcome.status == DONE]
    used = {"participant_id"}.union(*(_key_cells(record) for record in done))
    columns = [column for column in _keys(done) if column.name in used]
    table = _table(
        (*columns, *METHOD, VOXEL, *TOTALS.values(), BRAIN_ICV, *_structures(done)),
        (_wide_row(record) for record in done),
    )
    tool = {"Description": "Volumes of tissues and structures from T1w images, by tntpipe."}
    return Table(table.columns, table.rows, {"MeasurementToolMetadata": tool, "Derivative": True, **table.dictionary})


def _table(columns: Sequence[Column], rows: Iterator[Mapping[str, str]]) -> Table:
    names = tuple(dictionary(columns))
    return Table(names, tuple(tuple(row.get(name, MISSING) for name in names) for row in rows), dictionary(columns))


def _keys(scans: Sequence[ScanRecord]) -> tuple[Column, ...]:
    """The keys of every study, then those that only some scans of this one have."""
    more = sorted({key_of(name) for record in scans for name, _ in record.scan.entities} - KEYS.keys())
    return (*KEYS.values(), *(Column(name=key, description=f"BIDS entity {key}-.") for key in more))


def _key_cells(record: ScanRecord) -> dict[str, str]:
    cells = {}
    for name, value in record.scan.entities:
        key = key_of(name)
        cells[KEYS[key].name if key in KEYS else key] = f"{key}-{value}" if key in ("sub", "ses") else value
    return cells


def _structures(scans: Sequence[ScanRecord]) -> tuple[Column, ...]:
    """A column for each label that any scan has beside the totals, as the tables have them.

    Names of a segmentation that are one column, in tables of different scans, are one label written in two ways.
    """
    found: dict[tuple[str, str], Column] = {}
    for measure in chain.from_iterable(record.measures for record in scans):
        key = (measure.segmentation, column_name(measure))
        if key not in found and (measure.segmentation, measure.name) not in TOTALS:
            is_sum = " (a sum of other columns)" if measure.is_sum else ""
            text = f"Volume of {measure.name}{is_sum}, as *{_ending(measure)} has it."
            found[key] = Column(name=column_name(measure), description=text, units=MM3, derived=measure.is_sum)
    return tuple(found.values())


def column_name(measure: Measure) -> str:
    """Of the volume of a structure."""
    total = TOTALS.get((measure.segmentation, measure.name))
    return total.name if total else f"{snake_case(measure.name)}_mm3"


def _ending(measure: Measure) -> str:
    entity = {"ICV": "label", "brain": "desc"}.get(measure.segmentation, "seg")
    return f"_{entity}-{measure.segmentation}_stats.tsv"


def _wide_row(record: ScanRecord) -> dict[str, str]:
    volumes: dict[str, float] = {}
    for measure in record.measures:
        name = column_name(measure)
        if name in volumes:
            raise TableError(
                f"{record.scan.key}: two of its measures are the column {name}.",
                remedy="Rename one of the labels in the tables of the model or atlas, and run participant again.",
            )
        volumes[name] = measure.volume_mm3
    icv, brain = volumes.get("icv_mm3"), volumes.get("brain_mm3")
    voxel = next((m.volume_mm3 / m.n_voxels for m in record.measures if m.n_voxels), None)
    state = {
        "status": record.outcome.status,
        "reason": _line(record.outcome.reason),
        "warnings": _line("; ".join(record.outcome.warnings)),
    }
    method = {column: _line(str(record.method.get(key) or "")) for column, key in _METHOD_KEYS.items()}
    return {
        **_key_cells(record),
        **state,
        **method,
        "method": record.method_id or MISSING,
        "voxel_mm3": MISSING if voxel is None else f"{voxel:.6g}",
        **{name: f"{volume:.1f}" for name, volume in volumes.items()},
        "brain_icv": f"{brain / icv:.5f}" if icv and brain is not None else MISSING,
    }


def _long_row(measure: Measure) -> dict[str, str]:
    structure = structure_of(measure.name, is_tissue=measure.segmentation == "tissue")
    return {
        "segmentation": measure.segmentation,
        "tissue": structure.tissue or MISSING,
        "region": structure.region or MISSING,
        "hemisphere": structure.hemisphere or MISSING,
        "n_voxels": cell_text(measure.n_voxels),
        "volume_mm3": f"{measure.volume_mm3:.1f}",
        "mean_intensity": MISSING if measure.mean is None else f"{measure.mean:.6g}",
    }


def _line(text: str) -> str:
    """A text as one cell."""
    return " ".join(printable(text).split()) or MISSING
