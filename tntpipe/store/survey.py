"""What is there before a run begins: steps that are done, that only have to be published again, or to be computed; and
what of the output is another method's. Reads, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from tntpipe.steps.graph import Graph
from tntpipe.steps.step import Step
from tntpipe.store.derivatives import Derivatives, Due, Standing
from tntpipe.store.manifest import Entry
from tntpipe.store.record import Record
from tntpipe.store.work_folder import WorkFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found.

    ``done`` is computed and published; ``computed`` is computed, here or for another method's run before, and is only
    to be published. ``due`` is what each scan withdraws when its first step is redone. ``edited`` are the files that
    a person has changed, and ``by_hand`` those that were given as an input before, by scan. Scans in ``unknown`` have
    results that no manifest knows: of an older version.
    """

    done: frozenset[str]
    computed: frozenset[str]
    due: Mapping[str, Due]
    edited: Mapping[str, tuple[str, ...]]
    superseded: Mapping[str, tuple[str, ...]]
    unknown: frozenset[str]
    n_other_versions: int


def survey(graph: Graph, work: WorkFolder, derivatives: Derivatives, *, forgets: bool = False) -> Survey:
    """Look at the results of all steps of the graph; where it ``forgets``, as if none was in the work folder."""
    derivatives.look(graph)
    records: dict[str, Record] = {}
    done, computed = set(), set()
    by_scan: dict[str, list[Step]] = {}
    for step in graph:
        by_scan.setdefault(step.place.folder, []).append(step)
        found = None if forgets else work.find(step, records.get)
        if found is None:
            continue
        records[step.name], is_published = found
        if is_published and derivatives.would_be_published(step, found[0]):
            done.add(step.name)
        else:
            computed.add(step.name)
    due, edited, superseded, unknown = {}, {}, {}, set()
    for scan, steps in by_scan.items():
        if not any(step.exports for step in steps):
            continue
        expected = _expected(scan, steps, records, derivatives)
        standings = {name: derivatives.standing(scan, name, entry) for name, entry in expected.items()}
        if kept := tuple(name for name, standing in standings.items() if standing is Standing.EDITED):
            edited[scan] = kept
        others = tuple(name for name, standing in standings.items() if standing is Standing.OTHER)
        manifest = derivatives.manifest(scan)
        if any(manifest is None or name not in manifest.files for name in others):
            unknown.add(scan)
        missing = {step.name for step in steps if step.name not in records}
        replaces = any(expected[name] is not None for name in others)
        if missing or replaces:
            superseded[scan] = others
            due[scan] = Due(expected=expected, missing=missing, is_mixed=bool(others))
    return Survey(
        done=frozenset(done),
        computed=frozenset(computed),
        due=due,
        edited=edited,
        superseded={scan: names for scan, names in superseded.items() if names},
        unknown=frozenset(unknown),
        n_other_versions=work.other_versions(step for step in graph if step.name not in records),
    )


def _expected(
    scan: str, steps: list[Step], records: Mapping[str, Record], derivatives: Derivatives
) -> dict[str, Entry | None]:
    """Each path with results of the scan, now or after the run, and what will be published there, if that is known."""
    manifest = derivatives.manifest(scan)
    expected: dict[str, Entry | None] = dict.fromkeys(manifest.files if manifest is not None else ())
    folders = {str(PurePosixPath(export.path).parent) for step in steps for export in step.exports}
    expected |= dict.fromkeys(derivatives.unlisted(scan, folders))
    for step in steps:
        expected |= derivatives.expected(step, records.get(step.name))
    return expected
