"""The level ``verify``: whether all that was published is still as it was, and what the next run has to mend.

Exit status: 0 all intact, 1 something is damaged, 66 there is nothing to compare with, 75 a run is using the folder.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tntpipe.cli.settings import labels_of
from tntpipe.errors import ExitStatus, InputMissingError
from tntpipe.formatting import and_more, counted, printable
from tntpipe.store.locks import NoLocksError
from tntpipe.store.manifest import FOLDER, read_manifests
from tntpipe.store.verification import Verification, forget, recorded_steps, scan_of, verify
from tntpipe.store.work_folder import WorkFolder

N_UNKNOWN_SHOWN = 5


def verify_outputs(options: argparse.Namespace) -> ExitStatus:
    """Hash everything, say what is damaged, and have the next run mend it."""
    output_dir = options.output_dir.absolute()
    work_dir = (options.working_directory or options.output_dir / "work").absolute()
    labels = labels_of(options.participant_labels)
    folders = [folder for folder in recorded_steps(work_dir) if _is_chosen(scan_of(folder, work_dir), labels)]
    manifests = [(scan, found) for scan, found in read_manifests(output_dir) if _is_chosen(scan, labels)]
    if not folders and not manifests:
        chosen = " of these participants" if labels else ""
        raise InputMissingError(
            f"There is no manifest{chosen} in {output_dir / FOLDER}, and no record in the work folder {work_dir}.",
            remedy="Results are verified against their manifests, which participant writes beside them; name the work "
            "folder of the run with --working_directory to verify what its steps have left.",
        )
    with _held(work_dir if folders else None) as work:
        found = verify(folders, manifests, output_dir, os.cpu_count() or 1, _say_progress)
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        if work is not None:
            forget(found.damages, work)
    for damage in found.damages:
        print(printable(f"damaged: {damage.path} {damage.fact}"))
    for path in found.edited:
        print(printable(f"edited by hand, and kept: {path}: no other result follows from it"))
    _summarise(found, work_dir, output_dir, labels)
    return ExitStatus.SCAN_FAILED if found.damages else ExitStatus.SUCCESS


def _is_chosen(scan: str, labels: Sequence[str]) -> bool:
    """Whether it is of these participants, or a model that all share."""
    names = [f"sub-{label.removeprefix('sub-')}" for label in labels]
    return not names or not scan.startswith("sub-") or any(scan == n or scan.startswith(f"{n}_") for n in names)


@contextlib.contextmanager
def _held(work_dir: Path | None) -> Iterator[WorkFolder | None]:
    """The work folder, which no run uses meanwhile; BusyError where one does, None where there is none."""
    if work_dir is None:
        yield None
        return
    work = WorkFolder(work_dir, {})
    with contextlib.suppress(NoLocksError):
        work.lock()
    try:
        yield work
    finally:
        work.close()


def _say_progress(n_done: int, n_files: int) -> None:
    if sys.stderr.isatty():
        print(f"\rverifying: {n_done} of {n_files} files\x1b[K", end="\r", file=sys.stderr, flush=True)


def _summarise(found: Verification, work_dir: Path, output_dir: Path, labels: Sequence[str]) -> None:
    unseen = list(_not_looked_at(found, work_dir, output_dir, labels))
    for text in unseen:
        print(printable(f"not looked at: {text}"))
    of = [counted(found.n_scans, "scan")] * bool(found.n_scans) + [counted(found.n_steps, "step")] * bool(found.n_steps)
    checked = f"{counted(found.n_files, 'file')} of {' and '.join(of)} verified"
    which = "these" if unseen or found.edited else "all"
    if found.damages:
        print(f"{checked}; {len(found.damages)} damaged. Run participant again, as before: {_remedy(found)}")
    elif found.edited:
        print(f"{checked}; {len(found.edited)} edited by hand, the others are as they were published")
    else:
        print(f"{checked}; {which} are as they were published")


def _not_looked_at(found: Verification, work_dir: Path, output_dir: Path, labels: Sequence[str]) -> Iterator[str]:
    if not found.n_steps:
        yield f"the work folder, of which there is nothing at {work_dir} (--working_directory names another one)"
    if not found.n_scans:
        yield f"the results in {output_dir}, of which there is no manifest in {output_dir / FOLDER}"
    if labels:
        yield "other participants"
    elif found.unknown:
        named = and_more([str(path) for path in found.unknown], N_UNKNOWN_SHOWN)
        yield f"{counted(len(found.unknown), 'file')} in no manifest: {named}"


def _remedy(found: Verification) -> str:
    if not found.n_steps:
        return "what is damaged or missing is published again from the work folder, or computed where that is gone"
    n_steps = len({damage.note for damage in found.damages if damage.is_of_step})
    again = f"it computes {counted(n_steps, 'step')} again" if n_steps else "it computes nothing again"
    return f"{again}, and publishes what is damaged or missing in the output"
