"""The level ``verify``: whether all that was published is still as it was, and what the next run has to mend.

Exit status: 0 all intact, 1 something is damaged, 66 there is no record to compare with, 75 a run is using the folder.
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
from tntpipe.store.verification import Damage, Verification, forget, recorded_steps, verify
from tntpipe.store.work_folder import WorkFolder

N_UNKNOWN_SHOWN = 5


def verify_outputs(options: argparse.Namespace) -> ExitStatus:
    """Hash everything, say what is damaged, and have the next run mend it."""
    output_dir = options.output_dir.absolute()
    work_dir = (options.working_directory or options.output_dir / "work").absolute()
    folders = _chosen(recorded_steps(work_dir), labels_of(options.participant_labels))
    if not folders:
        chosen = " of these participants" if options.participant_labels else ""
        raise InputMissingError(
            f"There is no record{chosen} in the work folder {work_dir}.",
            remedy="Files are verified against the records of the steps that made them: name the work folder of the "
            "run with --working_directory. If it was removed nothing can be verified: participant computes it again.",
        )
    with _held(work_dir):
        found = verify(folders, output_dir, os.cpu_count() or 1, _say_progress)
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        forget(found.damages)
    for damage in found.damages:
        print(printable(f"damaged: {damage.path} {damage.fact}"))
    _summarise(found)
    return ExitStatus.SCAN_FAILED if found.damages else ExitStatus.SUCCESS


def _chosen(folders: Sequence[Path], labels: Sequence[str]) -> list[Path]:
    """Of these participants, and of the models that all share."""
    names = tuple(f"sub-{label.removeprefix('sub-')}" for label in labels)

    def is_chosen(scan: str) -> bool:
        return not names or not scan.startswith("sub-") or any(scan == n or scan.startswith(f"{n}_") for n in names)

    return [folder for folder in folders if is_chosen(folder.parent.name)]


@contextlib.contextmanager
def _held(work_dir: Path) -> Iterator[None]:
    """While it lasts no run uses the work folder; BusyError where one does."""
    work = WorkFolder(work_dir, {})
    with contextlib.suppress(NoLocksError):
        work.lock()
    try:
        yield
    finally:
        work.close()


def _say_progress(n_done: int, n_files: int) -> None:
    if sys.stderr.isatty():
        print(f"\rverifying: {n_done} of {n_files} files\x1b[K", end="\r", file=sys.stderr, flush=True)


def _summarise(found: Verification) -> None:
    if found.n_elsewhere:
        print(f"{counted(found.n_elsewhere, 'step')} published to another output folder, which was not looked at")
    if found.unknown:
        named = and_more([str(path) for path in found.unknown], N_UNKNOWN_SHOWN)
        print(printable(f"in no record, and not looked into: {named}"))
    checked = f"{counted(found.n_files, 'file')} of {counted(found.n_steps, 'step')} verified"
    if not found.damages:
        print(f"{checked}; all are as they were published")
        return
    print(f"{checked}; {len(found.damages)} damaged. Run participant again, as before: {_remedy(found.damages)}")


def _remedy(damages: Sequence[Damage]) -> str:
    n_steps = len({damage.note for damage in damages if damage.note.name == "record.json"})
    again = f"it computes {counted(n_steps, 'step')} again" if n_steps else "it computes nothing again"
    return f"{again}, and publishes what is damaged or missing in the output"
