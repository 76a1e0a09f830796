"""Volumes of real adults beside those of DLMUSE, another program, on the same scans, and how both go with age."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks.accuracy_cases import Case, Choice, MissingError, copied
from benchmarks.accuracy_outputs import NUCLEI, both_sides, read_rows, voxel_mm3
from benchmarks.accuracy_run import Results, Values
from benchmarks.accuracy_tables import Bar, Column, Row, Table

MUSE_NUCLEI = {
    "Thalamus": (59, 60), "Caudate": (36, 37), "Putamen": (57, 58), "Pallidum": (55, 56), "Hippocampus": (47, 48),
    "Amygdala": (31, 32), "Accumbens": (23, 30),
}  # fmt: skip
MUSE = {
    "GM": (*range(100, 208), 38, 39, 71, 72, 73, 75, 76, *(code for pair in MUSE_NUCLEI.values() for code in pair)),
    "WM": (*range(81, 96), 40, 41, 35, 61, 62),
    "ventricles": (4, 11, 49, 50, 51, 52),
    "other CSF": (1, 46),
    "optic chiasm": (69,),
}
"""MUSE's codes: brain stem and ventral diencephalon mostly white, deep nuclei and basal forebrain grey."""

COLUMNS = (
    Column(name="r", kind="r"),
    *(Column(name=name, kind="ratio") for name in ("mean ratio", "ratio")),
)
AGE_COLUMNS = tuple(Column(name=name, kind="age r") for name in ("ours", "DLMUSE", "difference"))
LEAST_R = {"ICV": 0.97, "brain": 0.97, "GM": 0.85, "WM": 0.85, "Thalamus": 0.85}
LEAST_R_OF_OTHERS = 0.75
QUICK_EVERY = 3


def cases(choice: Choice) -> list[Case]:
    """A head a participant, by age, so that every third one spans all ages."""
    rows = participants(choice.folder) if (choice.folder / "ixi").is_dir() else {}
    heads = [head for head in rows if choice.takes(head)]
    step = QUICK_EVERY if choice.quick and not choice.heads else 1
    return [copied(head, choice.folder / f"ixi/T1w/sub-{head}_T1w.nii.gz") for head in heads[::step]]


def participants(folder: Path) -> dict[str, Mapping[str, str]]:
    rows = sorted(read_rows(folder / "ixi/participants.tsv"), key=lambda row: float(row["age"]))
    return {row["participant_id"].removeprefix("sub-"): row for row in rows}


def muse_mm3(path: Path) -> Values:
    """DLMUSE's volumes: tissues, ventricles, nuclei over both sides; MissingError if a code has no place in them."""
    image = nib.load(path)
    counts = np.bincount(np.asarray(image.dataobj).astype(np.int64).ravel(), minlength=208)
    unknown = set(np.flatnonzero(counts).tolist()) - {0}.union(*MUSE.values())
    if unknown:
        raise MissingError(f"{path.name}: no tissue has the codes {sorted(unknown)}")
    return {
        name: float(counts[list(codes)].sum()) * voxel_mm3(image.affine)
        for name, codes in {**MUSE, **MUSE_NUCLEI}.items()
    }


def _both(case: Case, choice: Choice, results: Results, row: Mapping[str, str]) -> Values:
    """Ours by name, theirs by name with ``DLMUSE`` before it."""
    outputs = results.outputs(case)
    nuclei = outputs.nuclei_mm3()
    ours = {**outputs.totals_mm3(), **{name: both_sides(nuclei, name) for name in NUCLEI}}
    ventricles = outputs.ventricles_mm3()
    if ventricles is not None:
        ours["ventricles"] = ventricles
        ours["brain"] = ours["GM"] + ours["WM"] + ventricles
    labels = choice.folder / f"ixi/dlmuse/sub-{case.head}_dseg.nii.gz"
    theirs = {**muse_mm3(labels), "ICV": float(row["icv_mm3"]), "brain": float(row["brain_mm3"])}
    return {**ours, **{f"DLMUSE {name}": volume for name, volume in theirs.items()}, "age": float(row["age"])}


def tables(choice: Choice, results: Results) -> list[Table]:
    """Agreement of volumes, and of their correlations with age."""
    wanted, rows = cases(choice), participants(choice.folder)
    values, missing = results.scored(wanted, lambda case: _both(case, choice, results, rows[case.head]))
    heads = list(values.values())
    has_ventricles = bool(heads) and all("ventricles" in head for head in heads)
    without = "" if has_ventricles else "No label map of ours has ventricles, so they are left out."
    brain = "GM, WM and ventricles, as theirs" if has_ventricles else "the mask, with the fluid of sulci, unlike theirs"
    note = f"Ours over DLMUSE's; our brain is {brain}. {without}".strip()
    names = ("ICV", "brain", "GM", "WM", *NUCLEI, *(["ventricles"] if has_ventricles else []))
    shares = ("GM", *(["ventricles"] if has_ventricles else []))
    agreement = tuple(_agreement_row(name, heads, len(wanted)) for name in names)
    ages = tuple(_age_row(name, heads, len(wanted)) for name in shares)
    return [
        Table(title="Volumes beside DLMUSE's", columns=COLUMNS, rows=agreement, missing=missing, note=note),
        Table(title="Correlation with age", columns=AGE_COLUMNS, rows=ages, missing=missing, note=without),
    ]


def correlation(one: list[float], other: list[float]) -> list[float]:
    """Pearson's r, of three and more."""
    return [float(np.corrcoef(one, other)[0, 1])] if len(one) > 2 else []


def _agreement_row(name: str, heads: list[Values], n_wanted: int) -> Row:
    ours, theirs = [head[name] for head in heads], [head[f"DLMUSE {name}"] for head in heads]
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    r = correlation(ours, theirs)
    bars = () if name == "ventricles" else (Bar(column="r", least=LEAST_R.get(name, LEAST_R_OF_OTHERS)),)
    values = {"r": r, "mean ratio": [float(np.mean(ratios))] if ratios else [], "ratio": ratios}
    return Row(name=name, n_heads=len(heads), n_wanted=n_wanted, values=values, bars=bars)


def _age_row(name: str, heads: list[Values], n_wanted: int) -> Row:
    def share_with_age(whose: str) -> list[float]:
        shares = [head[f"{whose}{name}"] / head[f"{whose}ICV"] for head in heads]
        return correlation(shares, [head["age"] for head in heads])

    ours, theirs = share_with_age(""), share_with_age("DLMUSE ")
    difference = [our - their for our, their in zip(ours, theirs, strict=True)]
    return Row(
        name=f"{name} / ICV",
        n_heads=len(heads),
        n_wanted=n_wanted,
        values={"ours": ours, "DLMUSE": theirs, "difference": difference},
        bars=(Bar(column="difference", within=0.1),),
    )
