"""Heads of other scanners, without truth: their volumes, what was doubted, what they cost; one is a fruit."""

from __future__ import annotations

from pathlib import Path

from benchmarks.accuracy_cases import Case, Choice, copied
from benchmarks.accuracy_outputs import NUCLEI, both_sides
from benchmarks.accuracy_run import Results, Values
from benchmarks.accuracy_samseg import samseg_mm3
from benchmarks.accuracy_tables import Bar, Column, Row, Table

FRUIT = "fruit"
HEADS = (FRUIT, "thick-sagittal", "uih", "defaced-0p7mm", "prisma")
TOTALS = ("ICV", "brain", "GM", "WM", "CSF")
COLUMNS = (
    *(Column(name=name, kind="cm3") for name in TOTALS),
    *(Column(name="doubts", kind="count"), Column(name="CPU s", kind="s")),
)
SAMSEG_COLUMNS = (
    *(Column(name="ours, cm³", kind="cm3"), Column(name="SAMSEG, cm³", kind="cm3")),
    Column(name="ours / SAMSEG", kind="ratio"),
)
COMPARED = ("ICV", "GM", "WM", "CSF", "ventricles", *NUCLEI)


def cases(choice: Choice) -> list[Case]:
    files = {head: choice.folder / f"{head}.nii.gz" for head in HEADS} | ({"S1": choice.s1} if choice.s1 else {})
    return [copied(head, path) for head, path in files.items() if choice.takes(head)]


def tables(choice: Choice, results: Results) -> list[Table]:
    """All heads, what was doubted about them, and SAMSEG's figures where it was run."""
    wanted = cases(choice)
    values, missing = results.scored(wanted, lambda case: _score(case, results))
    rows = [_row(case, values.get(case.participant), results) for case in wanted]
    fates = [(case.head, results.fates[case.participant]) for case in wanted]
    doubts = [f"* {head}: {' '.join(doubt.split())}" for head, fate in fates for doubt in fate.doubts]
    after = "\n".join(["\nWhat was doubted:\n", *doubts]) if doubts else ""
    whole = Table(
        title="Heads of other scanners, cm³",
        columns=COLUMNS,
        rows=tuple(row for row in rows if row),
        missing=missing,
        note="A failure counts as a doubt.",
        after=after,
    )
    beside = _beside_samseg(wanted, values, results.out.parent / "samseg")
    return [whole, *([beside] if beside.rows else [])]


def _score(case: Case, results: Results) -> Values:
    """All volumes of a head in mm³."""
    outputs = results.outputs(case)
    nuclei, ventricles = outputs.nuclei_mm3(), outputs.ventricles_mm3()
    found = {**outputs.totals_mm3(), **{name: both_sides(nuclei, name) for name in NUCLEI}}
    return found if ventricles is None else {**found, "ventricles": ventricles}


def _row(case: Case, volumes: Values | None, results: Results) -> Row | None:
    """A head's row; the fruit has one whatever became of it, since to fail is right."""
    is_fruit = case.head == FRUIT
    if volumes is None and not is_fruit:
        return None
    fate = results.fates[case.participant]
    return Row(
        name="fruit, no head: must fail or be doubted" if is_fruit else case.head,
        n_heads=1,
        n_wanted=1,
        values={
            **{name: [volumes[name] / 1000] for name in TOTALS if volumes},
            "doubts": [float(len(fate.doubts) + bool(fate.failure))],
            "CPU s": [] if fate.cpu_s is None else [fate.cpu_s],
        },
        bars=(Bar(column="doubts", least=1),) if is_fruit else (),
    )


def _beside_samseg(wanted: list[Case], values: dict[str, Values], folder: Path) -> Table:
    rows = []
    for case in wanted:
        ours, theirs = values.get(case.participant, {}), samseg_mm3(folder / case.head)
        for name in (name for name in COMPARED if name in ours and theirs.get(name)):
            pair = (ours[name] / 1000, theirs[name] / 1000)
            figures = ([pair[0]], [pair[1]], [pair[0] / pair[1]])
            by_column = {column.name: figure for column, figure in zip(SAMSEG_COLUMNS, figures, strict=True)}
            rows.append(Row(name=f"{case.head}, {name}", n_heads=1, n_wanted=1, values=by_column))
    return Table(title="Beside SAMSEG", columns=SAMSEG_COLUMNS, rows=tuple(rows))
