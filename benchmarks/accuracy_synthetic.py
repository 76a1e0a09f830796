"""Synthetic heads: overlap with and volume against the label maps that the scans were painted from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from benchmarks.accuracy_cases import Choice, MissingError
from benchmarks.accuracy_outputs import NUCLEI, TISSUES, Outputs, dice, nearest, voxel_mm3
from benchmarks.accuracy_run import Results, Values
from benchmarks.accuracy_scans import EVEN, HARD, REFERENCE, Condition, cases, conditions
from benchmarks.accuracy_tables import Bar, Column, Row, Table
from benchmarks.synthetic_heads import CSF, GM, OTHER_INTRACRANIAL, WM, read_label_map
from benchmarks.synthetic_heads import NUCLEI as TRUE_NUCLEI

TRUE_TISSUES = {"GM": GM, "WM": WM, "CSF": CSF}
INTRACRANIAL = (*GM, *WM, *CSF, *OTHER_INTRACRANIAL)
OUTSIDE = 500
"""Codes from here on are outside the skull's inner wall: bone, skin, eyes."""

TISSUE_COLUMNS = (
    *(Column(name=f"Dice {tissue}", kind="dice") for tissue in TISSUES),
    *(Column(name=tissue, kind="ratio") for tissue in (*TISSUES, "ICV")),
)
MOVED_COLUMNS = tuple(Column(name=f"{tissue} %", kind="percent") for tissue in (*TISSUES, "ICV"))


def _tissue_bars(gm: float, wm: float, within: float, icv: tuple[float, ...]) -> tuple[Bar, ...]:
    return (
        *(Bar(column="Dice GM", least=gm), Bar(column="Dice WM", least=wm)),
        *(Bar(column=tissue, within=within, about=1) for tissue in ("GM", "WM")),
        *(Bar(column="ICV", within=limit, about=1) for limit in icv),
    )


TISSUE_BARS = {REFERENCE: _tissue_bars(0.96, 0.97, 0.02, (0.03,)), HARD: _tissue_bars(0.93, 0.95, 0.04, ())}
NUCLEI_DICE = dict(zip(NUCLEI, (0.85, 0.80, 0.85, 0.80, 0.80, 0.75, 0.75), strict=True))


def score(path: Path, outputs: Outputs) -> Values:
    """Dice and volume ratios of one head: tissues and ICV by their names, nuclei over both sides."""
    tissue, subcortex = outputs.labels("tissue"), outputs.labels("subcortex")
    head = read_label_map(path)
    unknown = set(np.unique(head.labels).tolist()) - {0, *INTRACRANIAL}
    if any(code < OUTSIDE for code in unknown):
        raise MissingError(f"{path.name}: no tissue has the codes {sorted(code for code in unknown if code < OUTSIDE)}")
    truth = nearest(head.labels, head.affine, tissue.labels.shape, tissue.affine)
    values: Values = {}
    for name, codes in TRUE_TISSUES.items():
        true, ours = np.isin(truth, codes), tissue.mask(name)
        values[f"Dice {name}"] = dice([(true, ours)])
        values[name] = float(ours.sum()) / float(true.sum())
    for name, (left, right) in TRUE_NUCLEI.items():
        sides = [(truth == left, subcortex.mask(f"{name}-L")), (truth == right, subcortex.mask(f"{name}-R"))]
        values[f"Dice {name}"] = dice(sides)
        values[name] = sum(float(ours.sum()) for _, ours in sides) / sum(float(true.sum()) for true, _ in sides)
    true_mm3 = float(np.isin(head.labels, INTRACRANIAL).sum()) * voxel_mm3(head.affine)
    values["ICV"] = outputs.mask_mm3("_label-ICV_mask.nii.gz") / true_mm3
    return values


def tables(choice: Choice, results: Results) -> list[Table]:
    """Tissues, what a field alone changes, and the nuclei."""
    wanted = cases(choice)
    maps = choice.folder / "labels"
    values, missing = results.scored(
        wanted, lambda case: score(maps / f"labels-{case.head}.nii.gz", results.outputs(case))
    )
    found = {
        condition: {
            case.head: values[case.participant]
            for case in wanted
            if case.condition == condition.short and case.participant in values
        }
        for condition in conditions(choice)
    }
    n = len({case.head for case in wanted})
    nuclei_ratio = tuple(Column(name=name, kind="ratio") for name in NUCLEI)
    nuclei_dice = tuple(Column(name=f"Dice {name}", kind="dice") for name in NUCLEI)
    dice_bars = tuple(Bar(column=f"Dice {name}", least=least) for name, least in NUCLEI_DICE.items())
    ratio_bars = tuple(
        Bar(column=name, within=within, about=1, of=of)
        for of, within in (("median", 0.1), ("worst", 0.2))
        for name in NUCLEI
    )
    return [
        _table("Tissues of synthetic heads", TISSUE_COLUMNS, found, n, TISSUE_BARS, missing),
        Table(title="What a field alone changes", columns=MOVED_COLUMNS, missing=missing, rows=(_moved_row(found, n),)),
        _table("Nuclei of synthetic heads: Dice", nuclei_dice, found, n, {REFERENCE: dice_bars}, missing),
        _table("Nuclei of synthetic heads: volumes", nuclei_ratio, found, n, {REFERENCE: ratio_bars}, missing),
    ]


def _table(
    title: str,
    columns: tuple[Column, ...],
    found: Mapping[Condition, Mapping[str, Values]],
    n: int,
    bars: Mapping[Condition, tuple[Bar, ...]],
    missing: Mapping[str, str],
) -> Table:
    rows = tuple(
        Row(
            name=condition.name,
            n_heads=len(heads),
            n_wanted=n,
            values=by_column(heads.values(), columns),
            bars=bars.get(condition, ()),
        )
        for condition, heads in found.items()
    )
    return Table(title=title, columns=columns, rows=rows, missing=missing)


def by_column(heads: Iterable[Values], columns: Iterable[Column]) -> dict[str, list[float]]:
    """The values of each column over heads."""
    listed = list(heads)
    return {column.name: [values[column.name] for values in listed] for column in columns}


def _moved_row(found: Mapping[Condition, Mapping[str, Values]], n: int) -> Row:
    even, biased = found[EVEN], found[REFERENCE]
    moved = [
        {f"{name} %": 100 * (biased[head][name] / even[head][name] - 1) for name in (*TISSUES, "ICV")}
        for head in even
        if head in biased
    ]
    return Row(
        name="bias 0 to 40 %, noise 3 %",
        n_heads=len(moved),
        n_wanted=n,
        values=by_column(moved, MOVED_COLUMNS),
        bars=tuple(Bar(column=column.name, within=1, of="worst") for column in MOVED_COLUMNS),
    )
