"""The profile that nipype's resource monitor leaves (``resource_monitor.json``), and others of the same flat arrays.

Its CPU use is not believed: that monitor asks a process object that it has just made for its use since the last call,
which is 0 by definition. Its memory is that of looks about a second apart, so short peaks are missing. A run that is
given again appends what it had written before: the same look counts once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sized
from dataclasses import dataclass
from itertools import groupby

from tntpipe.decoding import Figure, Seconds
from tntpipe.formatting import GIB
from tntpipe.journal.events import Setting
from tntpipe.profiling.profile import DONE, Entry, Profile, StepUse

LONGEST_GAP_S = 60.0
"""Looks at one node that are further apart are of two executions."""

CPUS_REMARK = "CPU use is not taken from it: the monitor that wrote it cannot see that of the program a node runs"
MEMORY_REMARK = "its memory is that of looks about a second apart: short peaks are missing"

_PARTICIPANT = re.compile(r"_*sub[-_].*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatArrays:
    """The arrays, all of one length; those of one node that is run over many inputs have ``mapnode`` and ``params``."""

    name: list[str]
    time: list[Seconds]
    rss_GiB: list[Figure]
    vms_GiB: list[Figure] | None = None
    cpus: list[Figure] | None = None
    mapnode: list[Setting] | None = None
    params: list[Setting] | None = None


def profile_of_arrays(arrays: FlatArrays, kinds: Collection[str]) -> Profile:
    """The profile in such arrays, whose nodes are told by :func:`kind_of`; ValueError where they differ in length."""
    n = len(arrays.name)
    given = arrays.time, arrays.rss_GiB, arrays.vms_GiB, arrays.cpus, arrays.mapnode, arrays.params
    columns = [[0.0] * n if column is None else column for column in given]
    refuse_unequal([arrays.name, *columns])
    looks = {
        (name, (str(mapnode), str(params)), Entry(name=name, time=t, rss_gib=rss, vms_gib=vms, cpu_percent=cpus))
        for name, t, rss, vms, cpus, mapnode, params in zip(arrays.name, *columns, strict=True)
    }
    n_twice = n - len(looks)
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


def refuse_unequal(columns: Iterable[Sized]) -> None:
    """ValueError where arrays that belong together are not of one length."""
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"its arrays are not of one length, but {', '.join(map(str, lengths))}")


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
