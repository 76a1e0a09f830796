"""What the steps of one run used: per step its figures, and over time the flat arrays of nipype's resource monitor.

It refuses to know where a profile comes from. Invariants: every step that ran has at least one entry; the largest
``rss_gib`` of a step's entries is its ``peak_bytes``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

from tntpipe.decoding import Count, Figure, Positive, Seconds, Status
from tntpipe.formatting import GIB
from tntpipe.journal.events import Setting
from tntpipe.resources import Host

SCHEMA_VERSION = 1

DEBUG = "debug"
"""The variant, and the preset, of registrations with one iteration per level: their memory is the real one, their time
is not."""

DONE = "done"
UNFINISHED = "unfinished"
"""The outcomes of a step that gave its result, and of one that nothing was heard of again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One look at a step: GiB and per cent of one CPU, as the arrays have them.

    ``cpu_percent`` is over the time since the entry before.
    """

    name: str
    time: Seconds
    rss_gib: Figure
    vms_gib: Figure
    cpu_percent: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUse:
    """What one step used, over its last try; the peak is that of all tries.

    ``voxels`` is 0, ``threads`` 1, ``variant`` and ``cpu_s`` None where nobody recorded them. ``request_bytes`` is what
    the last try had been given.
    """

    name: str
    kind: str
    outcome: str
    wall_s: Seconds
    peak_bytes: Count
    scan: str = ""
    variant: str | None = None
    voxels: Count = 0
    threads: Positive = 1
    n_tries: Positive = 1
    request_bytes: Count | None = None
    cpu_s: Figure | None = None
    max_cpus: Figure | None = None
    read_bytes: Count | None = None
    written_bytes: Count | None = None
    started: Seconds = 0.0

    @property
    def mean_cpus(self) -> float | None:
        """Mean busy CPUs over the step's life."""
        return None if self.cpu_s is None or self.wall_s <= 0 else self.cpu_s / self.wall_s

    @property
    def entities(self) -> dict[str, str]:
        """The BIDS entities in the scan's name.

        >>> StepUse(name="", kind="", outcome="", wall_s=0, peak_bytes=0, scan="sub-01_ses-2").entities
        {'sub': '01', 'ses': '2'}
        """
        pairs = (part.partition("-") for part in self.scan.split("_"))
        return {key: value for key, hyphen, value in pairs if hyphen}


class BudgetFacts(TypedDict, total=False):
    """The budget of a run, and the same in words."""

    cpus: Count
    mem_bytes: Count
    said: str


class ProfiledRun(TypedDict, total=False):
    """What was run, when, with what settings and budget."""

    command: list[str]
    started: Seconds
    ended: Seconds | None
    exit_status: Status | None
    settings: dict[str, Setting]
    budget: BudgetFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The use of one run's steps.

    ``host`` tells of the machine, the ANTs build and the version of tntpipe, ``run`` of the command, its settings and
    its budget; both are empty where nobody recorded them. ``remarks`` are what a reader should know of the figures.
    """

    steps: tuple[StepUse, ...]
    entries: tuple[Entry, ...]
    host: Host = field(default_factory=Host)
    run: ProfiledRun = field(default_factory=ProfiledRun)
    remarks: tuple[str, ...] = ()

    @property
    def preset(self) -> str:
        """The name of the run's registration parameters; empty where that is not known."""
        return str(self.run.get("settings", {}).get("preset", ""))

    @property
    def machine(self) -> str:
        """The machine and the ANTs build, as far as times and memory depend on them; empty where they are not known."""
        return machine_of(self.host)


def machine_of(host: Host) -> str:
    """A host in words: no name, since containers have a new one each time, and not where ANTs lies."""
    if not host:
        return ""
    processor = host.get("processor") or host.get("machine", "?")
    ants, _, _ = str(host.get("ants", "ANTs ?")).partition(" (")
    return f"{host.get('cpus', '?')} CPUs ({processor}), {round(host.get('mem_bytes', 0) / GIB)} GiB, {ants}"
