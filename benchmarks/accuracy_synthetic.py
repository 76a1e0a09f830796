"""Synthetic heads: overlap with and volume against the label maps that the scans were painted from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.accuracy_cases import GENERATOR, Case, Choice, fingerprint
from benchmarks.accuracy_outputs import NUCLEI, TISSUES, Outputs, dice, nearest, voxel_mm3
from benchmarks.accuracy_run import Results, Values
from benchmarks.accuracy_tables import Bar, Column, Row, Table
from benchmarks.synthetic_heads import (
    CSF,
    GM,
    OTHER_INTRACRANIAL,
    SHAPES,
    WM,
    Appearance,
    LabelMap,
    field,
    noisy,
    paint,
    read_intensities,
    read_label_map,
    resampled,
    save,
    thick,
)  # fmt: skip
from benchmarks.synthetic_heads import (
    NUCLEI as TRUE_NUCLEI,
)

TRUE_TISSUES = {"GM": GM, "WM": WM, "CSF": CSF}
INTRACRANIAL = (*GM, *WM, *CSF, *OTHER_INTRACRANIAL)
QUICK_HEADS = ("04", "18")
RECIPE = fingerprint(Path(__file__))


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How all heads are scanned: field and noise in per cent, and the voxels, 1 mm where nothing is said."""

    bias: int
    noise: int
    grid: str = ""

    @property
    def name(self) -> str:
        return f"bias {self.bias} %, noise {self.noise} %{', ' if self.grid else ''}{self.grid}"

    @property
    def short(self) -> str:
        return f"b{self.bias} n{self.noise} {self.grid}".strip()


REFERENCE, EVEN, HARD = Condition(bias=40, noise=3), Condition(bias=0, noise=3), Condition(bias=80, noise=5)
THICK, FINE = Condition(bias=40, noise=3, grid="1 x 1 x 3 mm"), Condition(bias=40, noise=3, grid="0.8 mm")
CONDITIONS = (EVEN, Condition(bias=20, noise=1), Condition(bias=20, noise=3), REFERENCE, HARD,
              Condition(bias=40, noise=9), THICK, FINE)  # fmt: skip

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


def cases(choice: Choice) -> list[Case]:
    """Every condition of every head; a head keeps its seed and the shape of its field."""
    found = []
    for number, path in enumerate(sorted(choice.folder.glob("labels/labels-*.nii.gz"))):
        head = path.name[len("labels-") : -len(".nii.gz")]
        if choice.takes(head) and not (choice.quick and not choice.heads and head not in QUICK_HEADS):
            shape = SHAPES[number % len(SHAPES)]
            for condition in conditions(choice):
                look = Appearance(
                    seed=int(head), bias_percent=condition.bias, shape=shape, noise_percent=condition.noise
                )
                make = partial(_write, path, look, condition.grid)
                recipe = f"{look}, {condition.grid}, {GENERATOR}, {RECIPE}"
                found.append(Case(head=head, condition=f"syn {condition.short}", recipe=recipe, make=make))
    return found


def conditions(choice: Choice) -> tuple[Condition, ...]:
    return (EVEN, REFERENCE) if choice.quick else CONDITIONS


def _write(path: Path, look: Appearance, grid: str, target: Path) -> None:
    """Noise comes last: it is that of the scan's own voxels."""
    head = read_label_map(path)
    image = paint(head, read_intensities(path.with_name("t1-intensities.tsv")), look) * field(head, look)
    affine = head.affine
    if grid == THICK.grid:
        image, affine = thick(image, affine, int(np.argmax(np.abs(affine[2, :3]))), 3)
    elif grid == FINE.grid:
        image, affine = resampled(image, affine, 0.8)
    seen = LabelMap(nearest(head.labels, head.affine, image.shape, affine), affine)
    save(noisy(image, seen, look), affine, target)


def score(path: Path, outputs: Outputs) -> Values:
    """Dice and volume ratios of one head: tissues and ICV by their names, nuclei over both sides."""
    tissue, subcortex = outputs.labels("tissue"), outputs.labels("subcortex")
    head = read_label_map(path)
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
            if case.condition == f"syn {condition.short}" and case.participant in values
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
