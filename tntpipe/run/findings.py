"""What a run finds of earlier ones in its folders, before it begins, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tntpipe.bids import outputs
from tntpipe.bids.outputs import is_derivative
from tntpipe.bids.scan import Scan
from tntpipe.formatting import and_more, counted
from tntpipe.journal.events import Notice
from tntpipe.run.method_facts import method_of
from tntpipe.run.plan import Plan
from tntpipe.run.settings import Folders
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.survey import Survey, survey
from tntpipe.store.work_folder import WorkFolder

N_NAMED = 5


def survey_without_writing(plan: Plan, *, forgets: bool = False) -> Survey:
    """What is there, where nothing may be written; with ``forgets``, as if the work folder was cleaned."""
    folders = plan.settings.folders
    work = WorkFolder(folders.work, plan.programs.versions, makes=False)
    derivatives = Derivatives(folders.output, work, method_of(plan.settings, plan.programs), is_derivative)
    return survey(plan.graph, work, derivatives, forgets=forgets)


def scans_lying(output_dir: Path) -> set[str]:
    """The scans that have results in the folder, whoever knows of them: those with a corrected T1w."""
    end = str(outputs.NUCOR_T1W.path(Scan(Path(), (("subject", "x"),)))).removeprefix("sub-x/anat/sub-x")
    folders = (output_dir.glob(f"{sub}/anat/*{end}") for sub in ("sub-*", "sub-*/ses-*"))
    return {path.name.removesuffix(end) for path in chain.from_iterable(folders)}


def notices_of(found: Survey, folders: Folders) -> Iterator[Notice]:
    """What to know of the earlier results, before anything is done about them."""
    if found.n_other_versions:
        n_steps = counted(found.n_other_versions, "step")
        yield Notice(text=f"{n_steps} in {folders.work} computed again: another version of tntpipe or ANTs made them")
    if found.unknown:
        yield Notice(
            text=f"results in no manifest, of an older version of tntpipe: {and_more(sorted(found.unknown), N_NAMED)}. "
            "They are moved aside when their scan is computed again",
            level="WARNING",
        )
    if found.computed:
        n_steps = counted(len(found.computed), "step")
        yield Notice(text=f"{n_steps} computed before: only published again, which takes no time")
    if found.superseded:
        n_files = counted(sum(map(len, found.superseded.values())), "file")
        yield Notice(
            text=f"another method's: {n_files} of {counted(len(found.superseded), 'scan')} "
            f"({and_more(sorted(found.superseded), N_NAMED)}) will be moved to {folders.work / 'withdrawn'} "
            "when the scan's first step is redone"
        )
    for scan, names in found.edited.items():
        yield Notice(text=f"{scan}: {edited(names)}", level="WARNING", scan=scan)


def edited(names: tuple[str, ...]) -> str:
    """What is said of files that a person has changed."""
    text = f"edited by hand, and kept: {and_more(list(names), N_NAMED)}. No other result follows from it"
    if any(name.endswith("_desc-brain_mask.nii.gz") for name in names):
        return f"{text}: to compute with an edited brain mask, run this participant with --brain_mask_dir OUTPUT_DIR"
    return f"{text}: to have it made again, move it away"
