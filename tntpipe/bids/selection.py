"""Which T1w scans of a BIDS dataset a run works on.

Only the ``anat`` folders of the chosen participants are listed, and no sidecar or image is opened, so that a thousand
participants cost a fraction of a second. What is wrong with one file or folder is returned as a Finding beside the
scans and never costs the others; errors are raised only for a request that cannot be meant: a dataset or participant
that is not there, filters that leave nothing. Invariant: the returned scans have unique keys and are sorted by them.
"""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tntpipe.bids.dataset import Dataset, read_dataset
from tntpipe.bids.filters import EntityFilter, clean_labels, entity_filter, filters_of_file
from tntpipe.bids.ignore import read_ignored
from tntpipe.bids.participants import choose_participants
from tntpipe.bids.scan import NAMED_AT_MOST, Finding, Scan, some
from tntpipe.bids.survey import Survey, why_unusable
from tntpipe.errors import SelectionError
from tntpipe.formatting import counted

__all__ = ["Finding", "Scan", "Selection", "SelectionResult", "select_scans"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the user asked for; labels without prefix, no label at all for every participant."""

    participant_labels: tuple[str, ...] = ()
    exclude_participant_labels: tuple[str, ...] = ()
    filters: tuple[EntityFilter, ...] = ()
    skip_validation: bool = False

    @classmethod
    def of(
        cls,
        *,
        participant_labels: Iterable[str] = (),
        exclude_participant_labels: Iterable[str] = (),
        entities: Mapping[str, Iterable[str] | None] | None = None,
        filter_file: object = None,
        skip_validation: bool = False,
    ) -> Selection:
        """From what was typed. An entity of None is not filtered; one without a value asks for scans that lack it."""
        typed = tuple(entity_filter(name, values) for name, values in (entities or {}).items() if values is not None)
        return cls(
            participant_labels=clean_labels(participant_labels),
            exclude_participant_labels=clean_labels(exclude_participant_labels),
            filters=typed if filter_file is None else typed + filters_of_file(filter_file),
            skip_validation=skip_validation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionResult:
    """Scans to run; what was wanted and cannot be used, which counts as failed; and what was left out by design."""

    scans: tuple[Scan, ...]
    refused: tuple[Finding, ...]
    notices: tuple[Finding, ...]
    dataset: Dataset


def select_scans(bids_dir: Path, selection: Selection) -> SelectionResult:
    """Find the scans that ``selection`` admits.

    Raises InputMissingError or DatasetError for the dataset itself, and SelectionError if a participant who was asked
    for is not there, or if no scan is left.
    """
    root = Path(os.path.abspath(bids_dir))  # noqa: PTH100  (resolve() would follow the links of an annexed dataset)
    dataset = read_dataset(root, skip_validation=selection.skip_validation)
    survey = Survey(ignored=read_ignored(root))
    if dataset.is_derivative:
        survey.notices.append(Finding(root, "calls itself a derivative dataset; its T1w files are taken as raw."))
    subjects = survey.find_subjects(root)
    asked = selection.participant_labels
    chosen, unknown = choose_participants(subjects, asked, selection.exclude_participant_labels, root)
    survey.notices += unknown
    for label in chosen:
        survey.read_subject(subjects[label], label, asked_for=label in asked)
    admitted = [scan for scan in survey.scans if all(wanted.admits(scan) for wanted in selection.filters)]
    survey.notices += survey.left_out(root)
    survey.notices += _left_without(root, survey.scans, admitted)
    scans, unusable = _usable(admitted)
    survey.refused += unusable
    if not scans:
        raise _nothing_left(root, selection, survey)
    survey.notices += _taken_though_odd(root, scans)
    return SelectionResult(scans=scans, refused=tuple(survey.refused), notices=tuple(survey.notices), dataset=dataset)


def _left_without(root: Path, found: Iterable[Scan], admitted: Iterable[Scan]) -> list[Finding]:
    """One notice for all participants whose every scan is filtered out."""
    labels = sorted({scan.subject for scan in found} - {scan.subject for scan in admitted})
    if not labels:
        return []
    return [Finding(root, f"the filters leave no scan of {len(labels)} participant(s): {some(labels)}.")]


def _usable(admitted: Iterable[Scan]) -> tuple[tuple[Scan, ...], list[Finding]]:
    """Scans whose file is there and whose key is theirs alone, sorted; and why the others are refused."""
    by_key: defaultdict[str, list[Scan]] = defaultdict(list)
    for scan in admitted:
        by_key[scan.key].append(scan)
    scans, refused = [], []
    for key, twins in sorted(by_key.items()):
        if len(twins) > 1:
            names = " and ".join(scan.path.name for scan in twins)
            refused.append(Finding(twins[0].path.parent, f"{names} are both {key}.", "Remove or rename one."))
        elif finding := why_unusable(twins[0].path, stat.S_ISREG):
            refused.append(finding)
        else:
            scans.append(twins[0])
    return tuple(scans), refused


def _nothing_left(root: Path, selection: Selection, survey: Survey) -> SelectionError:
    """The error for a selection without scans: the filters and the values there are, or the files that were refused."""
    left_out = (*survey.skipped, *survey.left_out(root))
    if survey.refused:
        return SelectionError(f"No T1w scan of {root} can be used:\n{_lines((*survey.refused, *left_out))}")
    if not survey.scans and left_out:
        return SelectionError(f"All T1w images of the chosen participants of {root} are left out:\n{_lines(left_out)}")
    if not survey.scans:
        return SelectionError(
            f"The chosen participants of {root} have no T1w image.",
            remedy="Its name would end in _T1w.nii.gz or _T1w.nii, under sub-…/anat or sub-…/ses-…/anat.",
        )
    wanted = ", ".join(str(entity_filter) for entity_filter in selection.filters)
    return SelectionError(
        f"No T1w scan of the chosen participants has {wanted}.",
        remedy=f"There is: {'; '.join(_values(wanted.entity, survey.scans) for wanted in selection.filters)}.",
    )


def _lines(findings: Sequence[Finding]) -> str:
    """Findings for a message, a line each, the first few of many."""
    more = len(findings) - NAMED_AT_MOST
    lines = [str(finding) for finding in findings[:NAMED_AT_MOST]]
    return "\n".join([*lines, *([f"and {more} more."] if more > 0 else [])])


def _taken_though_odd(root: Path, scans: Iterable[Scan]) -> list[Finding]:
    """Notices about scans that are read, and whose names say that they may not be what this method is for."""
    scans = tuple(scans)
    found = []
    if contrast := [scan.path.name for scan in scans if scan.get("ceagent") is not None]:
        fact = f"{counted(len(contrast), 'scan')} with a contrast agent (ce-) read as the others: {some(contrast)}."
        remedy = (
            "Vessels and meninges are bright in them, so volumes may be wrong; the filter file "
            '{"t1w": {"ceagent": null}} leaves them out.'
        )
        found.append(Finding(root, fact, remedy))
    if spine := [scan.path.name for scan in scans if _names_spine(scan)]:
        fact = f"{counted(len(spine), 'scan')} of the spine, by the name, read as the others: {some(spine)}."
        remedy = "Without a whole head they will fail; leave them out by a line in .bidsignore, or by a filter."
        found.append(Finding(root, fact, remedy))
    return found


def _names_spine(scan: Scan) -> bool:
    return any(
        entity != "subject" and part in value.casefold()
        for entity, value in scan.entities
        for part in ("spine", "spinal", "cord")
    )


def _values(entity: str, scans: Iterable[Scan]) -> str:
    values = {scan.extension if entity == "extension" else scan.get(entity) for scan in scans}
    return f"{entity} {some(sorted('(none)' if value is None else value for value in values))}"
