"""One head stored on voxels of several sizes: neither its volumes nor its cost may depend on them."""

from __future__ import annotations

import itertools
import math
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from benchmarks.accuracy_cases import Case, Choice, MissingError, copied, fingerprint, save_scan
from benchmarks.accuracy_changes import Affine, Array
from benchmarks.accuracy_coil import COLUMN, PARTS, difference_row, differences
from benchmarks.accuracy_run import Results, Values
from benchmarks.accuracy_tables import Bar, Column, Row, Table

RECIPE = fingerprint(Path(__file__))
HEAD = "defaced-0p7mm"
SCANNED = "0.7 mm"
SIZES_MM = {"1 mm": (1.0, 1.0, 1.0), "1.3 × 1 × 1 mm": (1.3, 1.0, 1.0)}
"""What the scan is brought to: the first axis is that of its slices."""
VOLUMES = Bar(column="%", within=2, of="worst")
COST = Bar(column="CPU s / least", within=0.5, about=1)
COST_COLUMNS = (
    Column(name="million voxels", kind="cm3"),
    Column(name="CPU s", kind="s"),
    Column(name="CPU s / least", kind="ratio"),
)
FWHM_PER_SD = math.sqrt(8 * math.log(2))


def cases(choice: Choice) -> list[Case]:
    """The scan as it is, and on each of the other grids."""
    path = choice.folder / f"{HEAD}.nii.gz"
    if not path.is_file() or not choice.takes(HEAD):
        return []
    recipe = f"{path.name}, {path.stat().st_size} bytes, {RECIPE}"
    return [
        copied(HEAD, path, condition=SCANNED),
        *(
            Case(head=HEAD, condition=name, recipe=f"{recipe}, {sizes_mm}", make=partial(_write, path, sizes_mm))
            for name, sizes_mm in SIZES_MM.items()
        ),
    ]


def on_voxels(image: Array, affine: Affine, sizes_mm: tuple[float, float, float]) -> tuple[Array, Affine]:
    """A scan as voxels of another size would show it.

    It is blurred to the new voxels' width first (a Gaussian whose full width at half maximum makes up what the scan's
    own voxels lack), then sampled by cubic splines. The grid begins at the same outer border.

    >>> values, affine = on_voxels(np.ones((8, 6, 4), np.float32), np.eye(4), (2.0, 1.0, 1.0))
    >>> values.shape, affine[:3, 3].tolist(), bool(np.allclose(values, 1))
    ((4, 6, 4), [0.5, 0.0, 0.0], True)
    """
    own_mm = np.linalg.norm(affine[:3, :3], axis=0)
    factors = np.asarray(sizes_mm) / own_mm
    blurred = ndimage.gaussian_filter(image, np.sqrt(np.maximum(factors**2 - 1, 0)) / FWHM_PER_SD, mode="nearest")
    onto = np.diag([*factors, 1.0])
    onto[:3, 3] = (factors - 1) / 2
    shape = tuple(int(length / factor + 1e-6) for length, factor in zip(image.shape, factors, strict=True))
    values = ndimage.affine_transform(blurred, onto[:3, :3], onto[:3, 3], output_shape=shape, order=3, mode="nearest")
    return np.asarray(np.maximum(values, 0), dtype=np.float32), affine @ onto


def _write(path: Path, sizes_mm: tuple[float, float, float], target: Path) -> None:
    image = nib.load(path)
    values, affine = on_voxels(image.get_fdata(dtype=np.float32), image.affine, sizes_mm)
    save_scan(values, affine, target)


def tables(choice: Choice, results: Results) -> list[Table]:
    """Each size beside each other one; then what each costs."""
    wanted = cases(choice)
    found, missing = results.scored(wanted, lambda case: _volumes(case, results))
    volumes = {case.condition: found[case.participant] for case in wanted if case.participant in found}
    rows = [
        _difference(part, one, other, volumes)
        for other, one in itertools.combinations((case.condition for case in wanted), 2)
        for part in PARTS
    ]
    note = (
        f"A scan of 0.7 × 0.67 × 0.67 mm (called {SCANNED}), and the same blurred and sampled on larger voxels. "
        "One size against another, in per cent of the second, without the sign; median and worst over structures."
    )
    return [
        Table(title="One head, three sizes of voxels", columns=(COLUMN,), rows=tuple(rows), missing=missing, note=note),
        Table(title="What the sizes cost", columns=COST_COLUMNS, rows=_costs(wanted, results)),
    ]


def _volumes(case: Case, results: Results) -> Values:
    """Every volume of a scan in mm³, as ``part: structure``."""
    outputs = results.outputs(case)
    return {f"{part}: {name}": mm3 for part, (of, _) in PARTS.items() for name, mm3 in of(outputs).items()}


def _difference(part: str, one: str, other: str, volumes: dict[str, Values]) -> Row:
    is_whole = one in volumes and other in volumes
    first, second = (
        {name.partition(": ")[2]: mm3 for name, mm3 in volumes.get(size, {}).items() if name.startswith(f"{part}: ")}
        for size in (one, other)
    )
    changes = differences(first, second) if is_whole else {}
    return difference_row(f"{one} against {other}, {part}", changes, (VOLUMES,), n_heads=int(is_whole), n_wanted=1)


def _costs(wanted: list[Case], results: Results) -> tuple[Row, ...]:
    """A row for each size whose scan came to its end in this version."""
    cpu_s = {case: results.fates[case.participant].cpu_s for case in wanted}
    known = [seconds for seconds in cpu_s.values() if seconds]
    rows = []
    for case, seconds in cpu_s.items():
        values: dict[str, list[float]] = {}
        if seconds and len(known) == len(wanted):
            values = {"CPU s": [seconds], "CPU s / least": [seconds / min(known)]}
        values |= {"million voxels": [n_voxels / 1e6]} if (n_voxels := _n_voxels(case, results)) else {}
        rows.append(Row(name=case.condition, n_heads=int(bool(seconds)), n_wanted=1, values=values, bars=(COST,)))
    return tuple(rows)


def _n_voxels(case: Case, results: Results) -> int:
    try:
        mask = results.outputs(case).path("_desc-brain_mask.nii.gz")
    except MissingError:
        return 0
    return math.prod(nib.load(mask).shape)
