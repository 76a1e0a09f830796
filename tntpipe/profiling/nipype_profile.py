"""The profile that nipype's resource monitor leaves (``resource_monitor.json``), and others of the same flat arrays.

Its CPU use is not believed: that monitor asks a process object that it has just made for its use since the last call,
which is 0 by definition. Its memory is that of looks about a second apart, so short peaks are missing. A run that is
given again appends what it had written before: the same look counts once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from tntpipe.formatting import GIB
from tntpipe.profiling.profile import DONE, Entry, Profile, StepUse

NEEDED = ("name", "time", "rss_GiB")

LONGEST_GAP_S = 60.0
"""Looks at one node that are further apart are of two executions."""

CPUS_REMARK = "CPU use is not taken from it: the monitor that wrote it cannot see that of the program a node runs"
MEMORY_REMARK = "its memory is that of looks about a second apart: short peaks are missing"

_PARTICIPANT = re.compile(r"_*sub[-_].*")


def is_flat_arrays(content: object) -> bool:
    """Whether a file's JSON is such a profile."""
    return isinstance(content, dict) and all(isinstance(content.get(name), list) for name in NEEDED)


def profile_of_arrays(content: Mapping[str, Any], kinds: Collection[str]) -> Profile:
    """The profile in such arrays, whose nodes are told by :func:`kind_of`.

    Raises
    ------
    ValueError, TypeError
        The arrays are not of one length, or hold something else than names and numbers.
    """
    names = [str(name) for name in content["name"]]
    nothing = [0.0] * len(names)
    marks = zip(content.get("mapnode", nothing), map(str, content.get("params", nothing)), strict=True)
    numbers = (content[n] if n in NEEDED else content.get(n, nothing) for n in ("time", "rss_GiB", "vms_GiB", "cpus"))
    looks = {
        (name, mark, Entry(name=name, time=float(t), rss_gib=float(rss), vms_gib=float(vms), cpu_percent=float(cpus)))
        for name, mark, t, rss, vms, cpus in zip(names, marks, *numbers, strict=True)
    }
    n_twice = len(names) - len(looks)
    ordered = sorted(looks, key=lambda look: (look[:2], look[2].time))
    runs = [
        run
        for _, group in groupby(ordered, key=lambda look: look[:2])
        for run in executions([entry for *_, entry in group])
    ]
    return Profile(
        steps=tuple(_use(run, kinds) for run in runs),
        entries=tuple(entry for run in runs for entry in run),
        remarks=(
            CPUS_REMARK,
            MEMORY_REMARK,
            *((f"of its looks {n_twice} were there twice and count once",) if n_twice else ()),
        ),
    )


def kind_of(name: str, kinds: Collection[str]) -> str:
    """A node's name without its workflow and its participant; the last part alone where that is a kind of ours.

    >>> kind_of("t1w.sub-01_ses-2.preproc.n4", ()), kind_of("t1w.sub_01.lobes", {"lobes"}), kind_of("sub-01/lobes", ())
    ('preproc.n4', 'lobes', 'lobes')
    """
    parts = [part for part in re.split(r"[./]", name) if part]
    if parts and parts[-1] in kinds:
        return parts[-1]
    kept = [part for part in parts[len(parts) > 1 :] if not _PARTICIPANT.fullmatch(part)]
    return ".".join(kept or parts[-1:])


def executions(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """A node's looks, divided where there is a long gap."""
    execution: list[Entry] = []
    for entry in entries:
        if execution and entry.time - execution[-1].time > LONGEST_GAP_S:
            yield execution
            execution = []
        execution.append(entry)
    yield execution


def _use(entries: list[Entry], kinds: Collection[str]) -> StepUse:
    return StepUse(
        name=entries[0].name,
        kind=kind_of(entries[0].name, kinds),
        outcome=DONE,
        started=entries[0].time,
        wall_s=entries[-1].time - entries[0].time,
        peak_bytes=round(max(entry.rss_gib for entry in entries) * GIB),
    )
