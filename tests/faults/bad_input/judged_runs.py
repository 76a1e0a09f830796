"""Real runs over scans that look wrong: each must fail or be warned of, and none may hold up the others."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bad_input.place import SOUND, Place
from bad_input.running import Ended, run_child
from bad_input.scans import CHANGES, HARMLESS, write_changed
from tntpipe.journal.events import Notice, ScanEnded
from tntpipe.journal.reader import read_journal

OPTIONS = ("participant", "--no_dashboard", "--n_proc", "2", "--memory_gb", "8")


@dataclass(frozen=True)
class Judged:
    """What a run said of one scan."""

    change: str
    outcome: str
    message: str
    warnings: tuple[str, ...]

    @property
    def fault(self) -> str:
        """What is wrong with that; nothing where it is as it should be."""
        if self.change in HARMLESS:
            return "" if self.outcome == "done" and not self.warnings else "sound, and not taken for it"
        told = self.outcome == "failed" or self.warnings
        return "" if told else f"wrong, and {self.outcome} without a word"


def run_changed(
    place: Place,
    people: Sequence[str],
    changes: Iterable[str],
    options: Sequence[str] = ("--debug",),
    *,
    limit_s: float,
    umask: int = -1,
) -> tuple[Ended, list[Judged]]:
    """Run the place's dataset with nothing in it but the heads of these people, changed in each of these ways."""
    shutil.rmtree(place.bids / SOUND)
    changed = {f"{who}{change}": change for who in people for change in changes}
    for name, change in changed.items():
        path = place.scan(f"sub-{name}/anat/sub-{name}_T1w.nii.gz")
        write_changed(place.heads[name.removesuffix(change)], CHANGES[change], path)
    words = [str(place.bids), str(place.out), *OPTIONS, *options]
    ended = run_child(place, words, limit_s=limit_s, umask=umask)
    return ended, [_judged(place.out, f"sub-{name}", change) for name, change in changed.items()]


def _judged(out: Path, scan: str, change: str) -> Judged:
    (journal,) = out.glob("logs/run-*/journal.jsonl")
    events = [event for _, event in read_journal(journal)]
    ends = [event for event in events if isinstance(event, ScanEnded) and event.scan == scan]
    warnings = tuple(event.text for event in events if isinstance(event, Notice) and event.scan == scan)
    outcome, message = (ends[0].outcome.value, ends[0].message) if len(ends) == 1 else (f"{len(ends)} ends", "")
    return Judged(change, outcome, message, warnings)
