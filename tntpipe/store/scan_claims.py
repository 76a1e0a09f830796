"""Which runs write into an output folder now: no two of them write the results of the same scan, or use two methods.

    logs/running/<run>.json   who it is, and its scans; locked by the run, so that what a killed run left is known
    logs/running/lock         locked while a run looks at the others and enters itself

Runs of different scans, by one method, may write into one output folder at the same time, from the nodes of a cluster
too.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tntpipe.decoding import decoded
from tntpipe.errors import BusyError, OutputError
from tntpipe.files import leads_inside, remove_temporaries
from tntpipe.formatting import and_more
from tntpipe.store.locks import holder, open_lock, try_lock

FOLDER = Path("logs/running")
PATIENCE_S = 10.0
N_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What stands in the file of a claim."""

    holder: str = "?"
    scans: tuple[str, ...] = ()
    method: Mapping[str, Any] | None = None


class Claim:
    """The claim of one run on the scans of an output folder."""

    def __init__(self, output_dir: Path, run: str) -> None:
        self._output_dir = output_dir
        self._path = output_dir / FOLDER / f"{run}.json"
        self._file: IO[str] | None = None

    def take(self, scans: Collection[str], method: Mapping[str, Any] | None = None) -> None:
        """Claim the scans for one method; where nobody else writes there, remove the half-written files of killed runs.

        Raises
        ------
        BusyError
            Another run has claimed one of them, or works by another method.
        OutputError
            The claims' folder is a link that leads out of the output folder.
        NoLocksError
            The file system has no locks: nothing is claimed.
        """
        if not leads_inside(self._path.parent, self._output_dir):
            raise OutputError(
                f"{self._path.parent} leads out of the output folder, to {os.path.realpath(self._path.parent)}.",
                remedy="Remove the symbolic link, or give another output folder.",
            )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._only_one():
            others = list(self._living())
            for other in others:
                self._refuse_same(scans, other)
                self._refuse_mixture(dict(method or {}), other)
            self._file = self._path.open("w", encoding="utf-8")
            try_lock(self._file)
            json.dump({"holder": holder(), "scans": sorted(scans), "method": dict(method or {})}, self._file)
            self._file.flush()
            if not others:
                for folder in (self._output_dir, self._output_dir / "logs"):
                    remove_temporaries(folder)

    def release(self) -> None:
        """Leave the scans to others."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
                self._file.close()
            self._file = None

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        with open_lock(self._path.parent / "lock") as lock:
            deadline = time.monotonic() + PATIENCE_S
            while not try_lock(lock):
                if time.monotonic() > deadline:
                    raise BusyError(
                        f"{lock.name} is held by another run that is just starting, and does not end.",
                        remedy="Give the same command again; if that does not help, find the process that holds it "
                        "(lsof, fuser).",
                    )
                time.sleep(0.05)
            yield

    def _living(self) -> Iterator[_Claimed]:
        """The claims of other runs; one whose run has died is removed."""
        for path in sorted(self._path.parent.glob("*.json")):
            with contextlib.suppress(FileNotFoundError, ValueError), path.open("r+", encoding="utf-8") as file:
                if try_lock(file):
                    path.unlink(missing_ok=True)
                else:
                    yield decoded(file.read(), _Claimed)

    def _refuse_same(self, scans: Collection[str], other: _Claimed) -> None:
        same = sorted(set(scans) & set(other.scans))
        if same:
            named = and_more(same, N_NAMED)
            raise BusyError(
                f"Another run ({other.holder}) writes the results of {named} into {self._output_dir}.",
                remedy="Wait for it to end, or choose other participants, or another output folder.",
            )

    def _refuse_mixture(self, method: Mapping[str, Any], other: _Claimed) -> None:
        if other.method is None or other.method == method:
            return
        ours, others = _flat(method), _flat(other.method)
        differing = sorted(name for name in {*ours, *others} if ours.get(name) != others.get(name))
        raise BusyError(
            f"Another run ({other.holder}) writes results of another method into {self._output_dir}: "
            f"its {and_more(differing, N_NAMED)} {'differs' if len(differing) == 1 else 'differ'}.",
            remedy="Wait for it to end, or choose another output folder.",
        )


def _flat(method: Mapping[str, Any]) -> dict[str, Any]:
    """A method with the parameters in it beside what else it says."""
    flat: dict[str, Any] = {}
    for name, value in method.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat
