"""Steps that are in a work folder without having run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tntpipe.steps.step import Step
from tntpipe.store.work_folder import WorkFolder

VERSIONS = {"sh": "1", "missing": "1"}


def open_folder(root: Path, versions: Mapping[str, str] = VERSIONS) -> WorkFolder:
    return WorkFolder(root / "work", versions)


def publish(root: Path, step: Step, content: str = "made") -> None:
    work = open_folder(root)
    scratch = work.prepare(step)
    (scratch / "log.txt").touch()
    for name in step.outputs:
        (scratch / name).write_text(content)
    work.publish(step, scratch, ("sh", "x"), {"cpu_s": 1.0})
    work.close()
