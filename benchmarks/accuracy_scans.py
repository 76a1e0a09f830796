"""Synthetic scans to measure on: every head under the same conditions, each with a seed and a field of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.accuracy_cases import GENERATOR, Case, Choice, fingerprint
from benchmarks.accuracy_outputs import nearest
from benchmarks.synthetic_heads import (
    SHAPES,
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

QUICK_HEADS = ("04", "18")
RECIPE = fingerprint(Path(__file__))
GRIDS = {"": "1 mm", "thick": "1 × 1 × 3 mm", "fine": "0.8 mm"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How all heads are scanned: field and noise in per cent, and which of `GRIDS` the voxels are."""

    bias: int
    noise: int
    grid: str = ""

    @property
    def name(self) -> str:
        return f"bias {self.bias} %, noise {self.noise} %, {GRIDS[self.grid]}"

    @property
    def short(self) -> str:
        return f"syn b{self.bias} n{self.noise} {self.grid}".strip()


REFERENCE, EVEN, HARD = Condition(bias=40, noise=3), Condition(bias=0, noise=3), Condition(bias=80, noise=5)
THICK, FINE = Condition(bias=40, noise=3, grid="thick"), Condition(bias=40, noise=3, grid="fine")
CONDITIONS = (EVEN, Condition(bias=20, noise=1), Condition(bias=20, noise=3), REFERENCE, HARD,
              Condition(bias=40, noise=9), THICK, FINE)  # fmt: skip


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
                found.append(Case(head=head, condition=condition.short, recipe=recipe, make=make))
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
