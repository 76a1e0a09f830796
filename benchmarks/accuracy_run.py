"""One run of tntpipe over the cases of a measurement, and what became of each of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy_cases import Case, MissingError
from benchmarks.accuracy_outputs import Outputs
from tntpipe.journal.reader import read_journal
from tntpipe.journal.run_state import GOOD, RunState, ScanState
from tntpipe.journal.writer import JOURNAL_NAME
from tntpipe.store.record import RECORD_NAME, read_record

ROOT = Path(__file__).parents[1]
FINISHED = (0, 1)
"""Exit statuses of a run that went to its end; with the second one a scan failed or was refused."""


def run(bids: Path, out: Path, participants: Sequence[str], options: Sequence[str]) -> None:
    """Run all scans; SystemExit where the run did not go to its end."""
    command = [
        *(sys.executable, "-m", "tntpipe", str(bids), str(out), "participant"),
        *("--subcortical", "--intracranial_volume", "--skip_validation", "--no_dashboard"),
        *("--participant_labels", *participants, *options),
    ]
    paths = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    status = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=False).returncode
    if status not in FINISHED:
        raise SystemExit(f"tntpipe ended with status {status}; the same command goes on from there")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Why a scan has no result, if it has none; what was doubted about it, and what its steps took, whenever run.

    ``cpu_s`` is None where the work folder also has steps of another version, which cannot be told from this one's.
    """

    failure: str = ""
    doubts: tuple[str, ...] = ()
    cpu_s: float | None = None


def fates(out: Path, cases: Iterable[Case], missing: Mapping[str, str]) -> dict[str, Fate]:
    """The fate of each participant in the newest run that had it; ``missing`` says why a scan could not be made."""
    scans: dict[str, ScanState] = {}
    for journal in sorted(out.glob(f"logs/run-*/{JOURNAL_NAME}")):
        state = RunState()
        for t, event in read_journal(journal):
            state.apply(t, event)
        scans |= state.scans
    found = {}
    for case in cases:
        scan = scans.get(f"sub-{case.participant}")
        failure = missing.get(case.participant, "")
        if not failure and scan is None:
            failure = "no run had it"
        elif not failure and scan and scan.outcome not in GOOD:
            failure = f"{scan.outcome.value if scan.outcome else 'unfinished'}: {scan.message}".rstrip(": ")
        records = [read_record(path) for path in out.glob(f"work/steps/sub-{case.participant}/*/{RECORD_NAME}")]
        used = [float(record.usage.get("cpu_s", 0)) for record in records if record]
        found[case.participant] = Fate(
            failure=failure,
            doubts=scan.warnings if scan else (),
            cpu_s=sum(used) if scan and len(used) <= scan.n_steps else None,
        )
    return found


Values = dict[str, float]
"""Figures of one head, by column."""


@dataclass(frozen=True, slots=True)
class Results:
    """What a run left in its output folder, and the fate of each participant."""

    out: Path
    fates: Mapping[str, Fate]

    def outputs(self, case: Case) -> Outputs:
        """The derivatives of a case; MissingError where it has none."""
        failure = self.fates[case.participant].failure
        if failure:
            raise MissingError(failure)
        return Outputs(self.out / f"sub-{case.participant}" / "anat")

    def scored(
        self, cases: Iterable[Case], score: Callable[[Case], Values]
    ) -> tuple[dict[str, Values], dict[str, str]]:
        """Figures of each participant, and of those that have none, why."""
        values, missing = {}, {}
        for case in cases:
            try:
                values[case.participant] = score(case)
            except (MissingError, OSError) as error:
                missing[f"{case.head} {case.condition}".strip()] = str(error)
        return values, missing
