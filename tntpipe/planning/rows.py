"""What a picture of a forecast shows in each row, and which kinds of step are worth a colour of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tntpipe.planning.forecast import Forecast, StepSpan

LEAST_SHARE = 0.01
"""A kind with less than this part of the CPU time is among the others."""

LEAST_SHARED_PART = 0.01
"""What all scans share has a row where it takes this part of the run."""


@dataclass(frozen=True, slots=True)
class Row:
    """A scan, or several, or what all of them share; and the steps, in the order in which they begin."""

    label: str
    spans: tuple[StepSpan, ...]
    is_shared: bool = False

    @property
    def began_s(self) -> float:
        return self.spans[0].began_s

    @property
    def ended_s(self) -> float:
        return max(span.ended_s for span in self.spans)


def scan_rows(forecast: Forecast) -> list[Row]:
    """One row a scan, in the order in which they begin, after what all of them share."""
    by_scan: dict[str, list[StepSpan]] = defaultdict(list)
    for span in forecast.spans:
        by_scan[span.scan].append(span)
    shared = Row("all scans", tuple(by_scan.pop("", ())), is_shared=True)
    shared_s = sum(span.ended_s - span.began_s for span in shared.spans)
    rows = [Row(printable(scan), tuple(spans)) for scan, spans in by_scan.items()]
    rows.sort(key=lambda row: (row.began_s, row.ended_s, row.label))
    if shared.spans and (not rows or shared_s >= LEAST_SHARED_PART * forecast.makespan_s):
        rows.insert(0, shared)
    return rows


def grouped(rows: Sequence[Row], n_rows: int) -> list[Row]:
    """At most so many rows of scans, each of neighbours, and what they share as it is."""
    groups, scans = ([row for row in rows if row.is_shared is which] for which in (True, False))
    size = -(-len(scans) // n_rows)
    if size <= 1:
        return list(rows)
    for first in range(0, len(scans), size):
        some = scans[first : first + size]
        spans = sorted((span for row in some for span in row.spans), key=lambda span: span.began_s)
        last = first + len(some)
        groups.append(Row(f"scan {last}" if len(some) == 1 else f"scans {first + 1}-{last}", tuple(spans)))
    return groups


def main_kinds(forecast: Forecast, most: int) -> list[str]:
    """The kinds of step that take most of the CPU time, those that take more first."""
    cpu_s: dict[str, float] = defaultdict(float)
    for span in forecast.spans:
        cpu_s[span.kind] += span.cpu_s
    kinds = sorted(cpu_s, key=lambda kind: (-cpu_s[kind], kind))
    return [kind for kind in kinds if cpu_s[kind] >= LEAST_SHARE * forecast.cpu_s][:most]


def printable(name: str) -> str:
    r"""The name with what cannot be printed escaped.

    >>> printable("sub-a\tb\udcff")
    'sub-a\\tb\\udcff'
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)
