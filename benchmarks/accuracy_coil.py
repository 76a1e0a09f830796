"""One acquisition with and without the scanner's normalisation: the volumes must be the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from benchmarks.accuracy_cases import Case, Choice, copied
from benchmarks.accuracy_outputs import NUCLEI, Outputs, both_sides
from benchmarks.accuracy_run import Results, Values
from benchmarks.accuracy_tables import Bar, Column, Row, Table

RAW, NORMALISED = "coil-raw", "coil-norm"
COLUMN = Column(name="%", kind="off")
MEDIAN_3, WORST_8 = Bar(column="%", within=3), Bar(column="%", within=8, of="worst")

PARTS: dict[str, tuple[Callable[[Outputs], Mapping[str, float]], tuple[Bar, ...]]] = {
    "ICV": (lambda outputs: {"ICV": outputs.totals_mm3()["ICV"]}, (Bar(column="%", within=1),)),
    "brain": (lambda outputs: {"brain": outputs.totals_mm3()["brain"]}, (Bar(column="%", within=1),)),
    "GM and WM": (lambda outputs: {name: outputs.totals_mm3()[name] for name in ("GM", "WM")}, ()),
    "GM and WM by lobe": (lambda outputs: outputs.lobes_mm3(), (MEDIAN_3, WORST_8)),
    "nuclei": (lambda outputs: {name: both_sides(outputs.nuclei_mm3(), name) for name in NUCLEI}, (MEDIAN_3,)),
}
"""What is compared, and its bars; differences count without their sign."""


def cases(choice: Choice) -> list[Case]:
    return [copied(head, choice.folder / f"{head}-2mm.nii.gz") for head in (RAW, NORMALISED) if choice.takes(head)]


def tables(choice: Choice, results: Results) -> list[Table]:
    """A row for each kind of volume."""
    found: dict[str, dict[str, Mapping[str, float]]] = {}

    def reach(case: Case) -> Values:
        outputs = results.outputs(case)
        found[case.head] = {part: volumes(outputs) for part, (volumes, _) in PARTS.items()}
        return {}

    _, missing = results.scored(cases(choice), reach)
    is_whole = len(found) == 2
    rows = tuple(
        difference_row(
            part,
            differences(found[RAW][part], found[NORMALISED][part]) if is_whole else {},
            bars,
            n_heads=int(is_whole),
            n_wanted=1,
        )
        for part, (_, bars) in PARTS.items()
    )
    note = "Raw against normalised, in per cent of the normalised, without the sign; median and worst over structures."
    return [Table(title="One scan, two coil corrections", columns=(COLUMN,), rows=rows, missing=missing, note=note)]


def differences(volumes: Mapping[str, float], reference: Mapping[str, float]) -> Values:
    """By how many per cent each volume is larger, or smaller, than the reference's."""
    return {name: 100 * (volumes.get(name, 0.0) / of - 1) for name, of in reference.items() if of > 0}


def difference_row(name: str, changes: Mapping[str, float], bars: Iterable[Bar], *, n_heads: int, n_wanted: int) -> Row:
    """How far volumes are off, and which one the farthest."""
    values = {"%": [abs(change) for change in changes.values()]}
    worst = max(changes, key=lambda part: abs(changes[part]), default="")
    told = f"{worst}, {'larger' if changes[worst] > 0 else 'smaller'}" if worst else ""
    return Row(name=name, n_heads=n_heads, n_wanted=n_wanted, values=values, bars=tuple(bars), worst_is=told)
