"""The scans of an output folder: every one that has results there or that a run was asked for, and what is known of it.

Manifests say which results are whole and how they were made, journals what failed and why. The raw dataset and the work
folder are not needed. Figures are given of scans that are done, of no others: half a scan's results are no result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from tntpipe.bids.scan import Finding, Scan, scan_of
from tntpipe.errors import InputMissingError, TableError
from tntpipe.formatting import and_more, counted
from tntpipe.store.manifest import Manifest, read_manifests
from tntpipe.study.measures import Measure, measures_in, table_of
from tntpipe.study.outcomes import DAMAGED, DONE, MISSING, UNFINISHED, Outcome, outcomes_in

N_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecord:
    """One scan: how it stands, how its results were made, and what was measured."""

    scan: Scan
    outcome: Outcome
    method: Mapping[str, Any] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()

    @property
    def method_id(self) -> str:
        """The same for all scans whose results were made in the same way; empty where that is not known."""
        return hashlib.sha256(json.dumps(self.method, sort_keys=True).encode()).hexdigest()[:8] if self.method else ""


@dataclass(frozen=True, slots=True)
class Study:
    """All scans, by name, and what to know before their figures are used."""

    scans: tuple[ScanRecord, ...]
    warnings: tuple[str, ...]


def study_in(output_dir: Path) -> Study:
    """All that the output folder knows of its scans.

    Raises
    ------
    InputMissingError
        It knows of none.
    TableError
        A scan's name has an entity that BIDS does not know.
    """
    told = outcomes_in(output_dir / "logs")
    manifests = dict(read_manifests(output_dir))
    lying = _tables_lying(output_dir)
    names = sorted(told.outcomes.keys() | manifests.keys() | lying.keys())
    if not names:
        raise InputMissingError(
            f"{output_dir} holds no results, and no journal of a run.",
            remedy="Check OUTPUT_DIR; group gathers what participant has left there.",
        )
    scans = tuple(
        _record(output_dir, name, told.outcomes.get(name), manifests.get(name), lying.get(name, ())) for name in names
    )
    return Study(scans, (*told.unread, *_warnings(scans)))


def _record(
    output_dir: Path, name: str, told: Outcome | None, manifest: Manifest | None, lying: Collection[str]
) -> ScanRecord:
    scan = _scan_called(name)
    # Without a manifest, by an older version or one that does not know it, what lies there is all that is known.
    tables = lying if manifest is None else [path for path in manifest.files if table_of(path)]
    outcome = told or Outcome(DONE if tables else UNFINISHED)
    method = {} if manifest is None else manifest.method
    if outcome.status == UNFINISHED and not outcome.reason:
        outcome = replace(outcome, reason="a run is computing it, or was stopped: re-run the same command to resume")
    if outcome.status != DONE:
        return ScanRecord(scan=scan, outcome=outcome)
    if not tables:
        reason = "its results were deleted or moved: run participant again to have them back"
        return ScanRecord(scan=scan, outcome=Outcome(MISSING, reason))
    try:
        measures = measures_in(output_dir, tables)
    except FileNotFoundError as error:
        reason = f"{error.filename} is not there: it was deleted, or a run is replacing it"
        return ScanRecord(scan=scan, outcome=Outcome(MISSING, reason))
    except TableError as error:
        return ScanRecord(scan=scan, outcome=Outcome(DAMAGED, str(error)))
    return ScanRecord(scan=scan, outcome=outcome, method=method, measures=measures)


def _scan_called(name: str) -> Scan:
    pairs = dict(pair.partition("-")[::2] for pair in name.split("_"))
    found = scan_of(Path(f"{name}_T1w.nii.gz"), pairs.get("sub", ""), pairs.get("ses"))
    if isinstance(found, Finding):
        raise TableError(
            f"The scan {name}: {found.fact}",
            remedy="Move what is of this scan out of OUTPUT_DIR (manifest, sub-… folder), rename the raw image and run "
            "participant again.",
        )
    return found


def _tables_lying(output_dir: Path) -> dict[str, list[str]]:
    """Of each scan, its tables of statistics, whoever knows of them."""
    tables: dict[str, list[str]] = {}
    folders = (output_dir.glob(f"{sub}/anat/*_stats.tsv") for sub in ("sub-*", "sub-*/ses-*"))
    for path in chain.from_iterable(folders):
        name = str(path.relative_to(output_dir))
        table = table_of(name)
        if table is not None and not path.name.startswith("."):
            tables.setdefault(table[0], []).append(name)
    return tables


def _warnings(scans: Collection[ScanRecord]) -> Iterator[str]:
    done = [record for record in scans if record.outcome.status == DONE]
    others = [record.scan.key for record in scans if record.outcome.status != DONE]
    if others:
        yield (
            f"{counted(len(others), 'scan')} without figures ({and_more(others, N_NAMED)}): see the columns status and "
            "reason"
        )
    debug = [record.scan.key for record in done if record.method.get("registration") == "debug"]
    if debug:
        yield f"made with --debug, for testing only, never to be analysed: {and_more(debug, N_NAMED)}"
    yield from _differences(done)


def _differences(done: Collection[ScanRecord]) -> Iterator[str]:
    """What differs between the methods of scans, the parameter and its values with how many scans have each."""
    known = [record for record in done if record.method]
    unknown = [record.scan.key for record in done if not record.method]
    if unknown:
        yield f"in no manifest, so that nobody knows how they were made: {and_more(unknown, N_NAMED)}"
    flat = {record.scan.key: _flat(record.method) for record in known}
    for key in sorted(set().union(*flat.values())):
        values: dict[str, list[str]] = {}
        for scan, method in flat.items():
            values.setdefault(json.dumps(method.get(key)), []).append(scan)
        if len(values) > 1:
            ordered = sorted(values.items(), key=lambda item: -len(item[1]))
            shown = "; ".join(
                f"{value} in {counted(len(names), 'scan')} ({and_more(names, N_NAMED)})" for value, names in ordered
            )
            yield (
                f"scans were made by different methods (column method), do not pool them unseen: {key} is {shown}. "
                "Run participant for all of them with the same options"
            )


def _flat(method: Mapping[str, Any]) -> dict[str, Any]:
    parameters = method.get("parameters")
    return {**method, "parameters": None, **(parameters if isinstance(parameters, Mapping) else {})}
