"""Made-up processes, for what real ones cannot be made to do at will."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tntpipe.profiling.processes import Reading, Sizes


class Table:
    """A process table that a test fills by hand."""

    def __init__(self) -> None:
        self.readings: Mapping[int, Reading] = {}

    def stands_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of the real one."""
        monkeypatch.setattr("tntpipe.profiling.process_tree.read_process", self.read)
        monkeypatch.setattr("tntpipe.profiling.shared_pages.read_shares", lambda pid: None)

    def read(self, pid: int) -> Reading | None:
        return self.readings.get(pid)

    def children_of(self, pid: int) -> Iterator[int]:
        return (child for child, reading in self.readings.items() if reading.parent == pid)


def process(parent: int, own: float = 0, waited: float = 0, *, started: int = 1, read: int = 0) -> Reading:
    return Reading(
        parent=parent,
        started_ticks=started,
        has_ended=False,
        is_fork=False,
        own_cpu_s=own,
        waited_cpu_s=waited,
        sizes=Sizes(rss_bytes=0, file_bytes=0, high_water_bytes=0),
        vms_bytes=0,
        n_threads=1,
        read_bytes=read,
        written_bytes=0,
    )
