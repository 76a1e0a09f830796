"""The arithmetic of measuring accuracy, against cases worked by hand, and the page that it writes."""

from __future__ import annotations

import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest

from benchmarks import accuracy_coil, accuracy_ixi, accuracy_others, accuracy_sizes, accuracy_synthetic
from benchmarks.accuracy_cases import Case, Choice, MissingError, copied, write_dataset
from benchmarks.accuracy_changes import CHANGES, brain_place, head_mask, in_field, mirrored, turned
from benchmarks.accuracy_coil import difference_row, differences
from benchmarks.accuracy_outputs import Outputs, dice, nearest
from benchmarks.accuracy_page import put_section, write_section
from benchmarks.accuracy_pairs import sides_swapped
from benchmarks.accuracy_run import ROOT, Fate, Results, fates
from benchmarks.accuracy_samseg import samseg_mm3
from benchmarks.accuracy_scans import CONDITIONS
from benchmarks.accuracy_tables import Bar, Column, Row, Table
from tntpipe.journal.events import Notice, RunStarted, ScanEnded, ScanOutcome
from tntpipe.journal.writer import Journal

DICE, RATIO = Column(name="Dice GM", kind="dice"), Column(name="GM", kind="ratio")


def save(labels, path, affine=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.asarray(labels, dtype=np.int16), np.eye(4) if affine is None else affine), path)


def write_outputs(folder, tissue, subcortex, icv):
    """Derivatives of a scan, as far as they are scored: label maps by name of the structure."""
    for name, labels, names in (("seg-tissue_dseg", *tissue), ("atlas-X_seg-subcortex_dseg", *subcortex)):
        save(labels, folder / f"sub-a_{name}.nii.gz")
        rows = "".join(f"{index}\t{label}\n" for label, index in names.items())
        (folder / f"sub-a_{name}.tsv").write_text("index\tname\n" + rows)
    save(icv, folder / "sub-a_label-ICV_mask.nii.gz")
    save(icv, folder / "sub-a_desc-brain_mask.nii.gz")


# Overlap and volume


def test_dice_of_two_sides_together_counts_voxels_not_sides():
    whole, none = np.ones(4, dtype=bool), np.zeros(4, dtype=bool)
    half = np.array([True, True, False, False])
    assert dice([(whole, half)]) == pytest.approx(4 / 6)
    assert dice([(whole, half), (half, half)]) == pytest.approx(8 / 10)
    assert dice([(whole, none)]) == 0


def test_labels_are_found_on_a_coarser_grid_at_the_nearest_voxel():
    labels = np.arange(6).reshape(6, 1, 1)
    coarse = np.diag([3.0, 1.0, 1.0, 1.0])
    coarse[0, 3] = 1
    assert nearest(labels, np.eye(4), (2, 1, 1), coarse).ravel().tolist() == [1, 4]


def test_a_synthetic_head_is_scored_against_its_label_map(tmp_path):
    truth = np.zeros((10, 4, 4))
    truth[0:4], truth[4:6], truth[6], truth[7], truth[8], truth[9] = 3, 2, 24, 25, 10, 49
    save(truth, tmp_path / "truth.nii.gz")
    tissue = np.zeros((10, 4, 4))  # grey 0-2 and the thalami: 5 of 6 layers right; white has a layer of grey
    tissue[0:3], tissue[3:6], tissue[6], tissue[8:] = 2, 3, 1, 2
    sides = [f"{name}-{side}" for name in accuracy_synthetic.NUCLEI for side in "RL"]
    nuclei = {name: label for label, name in enumerate(sides, start=1)}
    subcortex = np.zeros((10, 4, 4))
    subcortex[8], subcortex[9] = nuclei["Thalamus-L"], nuclei["Thalamus-R"]
    subcortex[9, :2] = 0
    for n, codes in enumerate(list(accuracy_synthetic.TRUE_NUCLEI.values())[1:]):  # so that each nucleus has a voxel
        truth[7, n // 4, n % 4] = codes[0]
    save(truth, tmp_path / "truth.nii.gz")
    write_outputs(tmp_path / "anat", (tissue, {"CSF": 1, "GM": 2, "WM": 3}), (subcortex, nuclei), tissue > 0)
    values = accuracy_synthetic.score(tmp_path / "truth.nii.gz", Outputs(tmp_path / "anat"))
    n_grey = 6 * 16 + 6  # four layers, two thalami, and the voxels of the other nuclei
    assert values["Dice GM"] == pytest.approx(2 * 5 * 16 / (n_grey + 5 * 16))
    assert values["GM"] == pytest.approx(5 * 16 / n_grey)
    assert values["WM"] == pytest.approx(1.5)
    assert values["Dice WM"] == pytest.approx(0.8)
    assert values["Thalamus"] == pytest.approx(24 / 32)
    assert values["Dice Thalamus"] == pytest.approx(2 * 24 / (32 + 24))
    assert values["ICV"] == pytest.approx(9 / 10)  # the layer of lesion is inside the skull


def test_sides_that_are_swapped_score_nothing(tmp_path):
    truth = np.zeros((2, 2, 2))
    truth[0], truth[1] = 10, 49
    names = {"R": 1, "L": 2}
    write_outputs(tmp_path, (truth * 0, {"GM": 1}), (truth * 0 + 1, {f"Thalamus-{s}": names[s] for s in "RL"}), truth)
    ours = Outputs(tmp_path).labels("subcortex")
    assert dice([(truth == 10, ours.mask("Thalamus-L"))]) == 0


# MUSE, SAMSEG


def test_every_muse_code_belongs_to_one_tissue():
    seen = [code for codes in accuracy_ixi.MUSE.values() for code in codes]
    assert len(seen) == len(set(seen))
    assert {4, 11, 23, 30, 31, 35, 38, 40, 47, 49, 61, 69, 71, 75, 81, 95, 100, 207} <= set(seen)
    assert {code for pair in accuracy_ixi.MUSE_NUCLEI.values() for code in pair} <= set(accuracy_ixi.MUSE["GM"])


def test_muse_sums_count_both_sides_in_mm3(tmp_path):
    labels = np.array([59, 60, 100, 207, 81, 35, 51, 4, 1, 0]).reshape(10, 1, 1)
    save(labels, tmp_path / "d.nii.gz", np.diag([2.0, 2.0, 2.0, 1.0]))
    volumes = accuracy_ixi.muse_mm3(tmp_path / "d.nii.gz")
    names = ("GM", "WM", "ventricles", "other CSF", "Thalamus", "Caudate")
    assert [volumes[name] for name in names] == pytest.approx([32, 16, 16, 8, 16, 0])


def test_a_code_without_a_tissue_is_refused(tmp_path):
    save(np.array([1, 4, 64]).reshape(3, 1, 1), tmp_path / "d.nii.gz")
    with pytest.raises(MissingError, match=r"\[64\]"):
        accuracy_ixi.muse_mm3(tmp_path / "d.nii.gz")


def test_samseg_is_read_in_our_structures(tmp_path):
    parts = {"Thalamus": 7000.5, "Caudate": 1, "Putamen": 2, "Pallidum": 3, "Hippocampus": 4, "Amygdala": 5,
             "Accumbens-area": 600, "Cerebral-Cortex": 100000, "Cerebellum-Cortex": 50000}  # fmt: skip
    lines = {f"{side}-{name}": value for name, value in parts.items() for side in ("Left", "Right")}
    lines |= {"Brain-Stem": 20000, "Intra-Cranial": 1}
    (tmp_path / "samseg.stats").write_text("".join(f"# Measure {n}, {v:.6f}, mm^3\n" for n, v in lines.items()))
    (tmp_path / "sbtiv.stats").write_text("# Measure Intra-Cranial, 1512345.0, mm^3\n")
    found = samseg_mm3(tmp_path)
    assert (found["ICV"], found["Thalamus"], found["Accumbens"]) == (1512345, 14001, 1200)
    assert found["GM"] == 2 * (100000 + 50000 + 7000.5 + 600 + 15)
    assert "WM" not in found  # most of its parts are missing
    assert samseg_mm3(tmp_path / "elsewhere") == {}


# Real heads changed


def made_up_head():
    place = np.stack(np.indices((60, 70, 80)), -1) * 4.0 - (120, 140, 160)
    inside = ((place / (80, 100, 130)) ** 2).sum(-1) < 1
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (-120, -140, -160)
    return np.where(inside, 100, 0).astype(np.float32), affine


def test_a_changed_head_keeps_its_grid():
    image, affine = made_up_head()
    assert {change(image, affine).shape for change in CHANGES.values()} == {image.shape}


def test_a_field_of_40_percent_more_spans_that_where_the_brain_is():
    image, affine = made_up_head()
    inside = brain_place(head_mask(image), affine)
    ratio = (in_field(image, affine) / 100)[inside]
    assert inside.sum() * 64e-6 == pytest.approx(1.5, abs=0.05)  # litres
    assert (ratio.min(), ratio.max()) == pytest.approx((0.8, 1.2), abs=1e-4)


def test_a_turned_head_is_turned_about_the_vertical_axis():
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    image = np.zeros((41, 41, 3), dtype=np.float32)
    image[35, 20] = 100  # 30 mm to the right of the middle
    there = np.argwhere(turned(image, affine)[..., 1] > 10).mean(axis=0) - 20
    assert np.linalg.norm(there) == pytest.approx(15, abs=0.5)
    assert abs(np.degrees(np.arctan2(there[1], there[0]))) == pytest.approx(20, abs=2)


def test_a_mirrored_head_has_its_voxels_swapped_from_left_to_right_in_any_storage_order():
    affine = np.eye(4)[[1, 0, 2, 3]]  # the second axis is left-right
    image = np.arange(6, dtype=np.float32).reshape(2, 3, 1)
    assert mirrored(image, affine)[..., 0].tolist() == [[2, 1, 0], [5, 4, 3]]
    assert sides_swapped({"GM Frontal-R": 1.0, "GM Frontal-L": 2.0}) == {"GM Frontal-L": 1.0, "GM Frontal-R": 2.0}


def test_differences_are_in_percent_and_the_worst_is_named():
    changes = differences({"a": 99.0, "b": 220.0}, {"a": 100.0, "b": 200.0, "c": 10.0})
    assert changes == pytest.approx({"a": -1, "b": 10, "c": -100})
    row = difference_row("x", changes, (), n_heads=1, n_wanted=1)
    assert row.values["%"] == pytest.approx([1, 10, 100])
    assert row.worst_is == "c, smaller"


def test_a_coil_pair_of_which_one_scan_failed_has_met_nothing(tmp_path):
    choice = Choice(folder=tmp_path)
    fates = {"coilraw": Fate(failure="failed: cut short"), "coilnorm": Fate(failure="no run had it")}
    table = accuracy_coil.tables(choice, Results(tmp_path, fates))[0]
    assert [table.verdict(row) for row in table.rows if row.bars] == ["**no**: 1 missing"] * 4
    assert table.missing == {"coil-raw": "failed: cut short", "coil-norm": "no run had it"}


# Sizes of voxels


def test_a_head_on_larger_voxels_stays_where_it_is_and_is_blurred_to_them():
    affine = np.diag([0.5, 1.0, 1.0, 1.0])
    affine[:3, 3] = (3, -7, 5)
    place = np.stack(np.indices((80, 40, 40)), -1) * (0.5, 1, 1)
    blob = np.exp(-(((place - (19, 20, 18)) / 4) ** 2).sum(-1) / 2).astype(np.float32)
    values, onto = accuracy_sizes.on_voxels(blob, affine, (2.0, 1.0, 1.0))
    assert values.shape == (20, 40, 40)

    def middle_and_spread(image, grid):
        world = nib.affines.apply_affine(grid, np.stack(np.indices(image.shape), -1)).reshape(-1, 3)
        middle = np.average(world, axis=0, weights=image.ravel())
        return middle, np.sqrt(np.average((world - middle) ** 2, axis=0, weights=image.ravel()))

    (before, _), (after, spread) = middle_and_spread(blob, affine), middle_and_spread(values, onto)
    assert after == pytest.approx(before, abs=0.01)
    assert spread == pytest.approx([np.hypot(4, np.sqrt(2**2 - 0.5**2) / 2.355), 4, 4], rel=0.01)
    assert values.sum() * 2 == pytest.approx(blob.sum() * 0.5, rel=1e-3)


def test_sizes_are_compared_by_twos_and_their_cost_with_the_least(tmp_path):
    save(np.ones((2, 2, 2)), tmp_path / "defaced-0p7mm.nii.gz")
    choice, ones = Choice(folder=tmp_path), np.ones((2, 2, 2))
    cases = accuracy_sizes.cases(choice)
    nuclei = {f"{name}-{side}": 1 for name in accuracy_others.NUCLEI for side in "RL"}
    for n_voxels, case in zip((8, 7, 8), cases, strict=True):
        anat = tmp_path / f"out/sub-{case.participant}/anat"
        tissue = np.where(np.arange(8).reshape(2, 2, 2) < n_voxels, 1, 0)
        write_outputs(anat, (tissue, {"GM": 1, "WM": 2}), (ones, nuclei), tissue)
        (anat / "sub-a_seg-tissuelobes_stats.tsv").write_text("index\tname\tvolume\n1\tGM+Frontal-R\t5\n")
    fates = {case.participant: Fate(cpu_s=cpu_s) for case, cpu_s in zip(cases, (300.0, 150.0, 160.0), strict=True)}
    volumes, cost = accuracy_sizes.tables(choice, Results(tmp_path / "out", fates))
    verdicts = {row.name: volumes.verdict(row) for row in volumes.rows}
    assert len(verdicts) == 15
    assert verdicts["1 mm against 0.7 mm, brain"] == "**no**"
    assert verdicts["1.3 × 1 × 1 mm against 0.7 mm, brain"] == "yes"
    assert [cost.verdict(row) for row in cost.rows] == ["**no**: CPU s / least", "yes", "yes"]


# Outputs


def test_lobes_are_read_whatever_joins_their_names(tmp_path):
    rows = "1\tCSF+Frontal-R\t5\n2\tGM+Frontal-R\t6\n3\tWM_Frontal_R\t7.5\n"
    (tmp_path / "sub-a_seg-tissuelobes_stats.tsv").write_text("index\tname\tvolume\n" + rows)
    assert Outputs(tmp_path).lobes_mm3() == {"GM Frontal-R": 6, "WM Frontal-R": 7.5}


def test_ventricles_are_summed_where_a_label_map_has_them(tmp_path):
    labels = np.array([1, 1, 2, 3]).reshape(4, 1, 1)
    names = {"LateralVentricle-R": 1, "3rdVentricle": 2, "Thalamus-R": 3}
    write_outputs(tmp_path, (labels, {"GM": 1}), (labels, {"Thalamus-R": 3}), labels)
    assert Outputs(tmp_path).ventricles_mm3() is None
    write_outputs(tmp_path, (labels, {"GM": 1}), (labels, names), labels)
    assert Outputs(tmp_path).ventricles_mm3() == 3


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(MissingError, match="label-ICV_mask"):
        Outputs(tmp_path).totals_mm3()


# Cases


def test_a_scan_is_made_again_only_if_its_recipe_has_changed(tmp_path):
    made = []
    bids = tmp_path / "bids"

    def make(path):
        made.append(path.name)
        path.write_text("scan")

    case = Case(head="04", condition="syn b40 n3 thick", recipe="one", make=make)
    assert write_dataset(bids, [case]) == write_dataset(bids, [case]) == {}
    write_dataset(bids, [Case(head="04", condition="syn b40 n3 thick", recipe="two", make=make)])
    assert made == ["sub-04SynB40N3Thick_T1w.nii.gz"] * 2


def test_a_scan_whose_source_is_missing_is_left_out_with_the_reason(tmp_path):
    assert write_dataset(tmp_path, [copied("uih", tmp_path / "uih.nii.gz")]) == {"uih": "uih.nii.gz is not there"}
    assert not list(tmp_path.glob("sub-*/anat/*_T1w.*"))


def test_no_two_conditions_of_a_head_share_a_participant():
    names = {Case(head="04", condition=c.short, recipe="", make=print).participant for c in CONDITIONS}
    assert len(names) == len(CONDITIONS)


def journal(path, scans, *events):
    started = RunStarted(
        command=(), version="", ants="", host={}, pid=1, cpus=1, mem_bytes=1, budget="", scans=scans, reused={},
        settings={}, folders={},
    )  # fmt: skip
    written = Journal(path)
    for event in (started, *events):
        written.record(0.0, event)
    written.close()


def test_a_scan_fares_as_in_the_newest_run_that_had_it(tmp_path):
    doubt = Notice(text="sub-a/brain_mask: too small", level="WARNING", scan="sub-a")
    ended = (ScanEnded(scan=f"sub-{name}", outcome=outcome, message="m") for name, outcome in
             (("a", ScanOutcome.DONE), ("b", ScanOutcome.DONE)))  # fmt: skip
    journal(tmp_path / "logs/run-1/journal.jsonl", {"sub-a": 2, "sub-b": 2, "sub-c": 2}, doubt, *ended)
    journal(tmp_path / "logs/run-2/journal.jsonl", {"sub-b": 2},
            ScanEnded(scan="sub-b", outcome=ScanOutcome.REFUSED, message="2-D"))  # fmt: skip
    cases = [Case(head=name, condition="", recipe="", make=print) for name in "abcde"]
    found = fates(tmp_path, cases, {"e": "e.nii.gz is not there"})
    assert (found["a"].failure, found["a"].doubts, found["a"].cpu_s) == ("", ("sub-a/brain_mask: too small",), 0)
    assert [found[name].failure for name in "bcde"] == [
        "refused: 2-D", "unfinished", "no run had it", "e.nii.gz is not there",
    ]  # fmt: skip
    values, missing = Results(tmp_path, found).scored(cases, lambda case: {"n": len(case.head)})
    assert (len(values), missing) == (5, {})
    _, missing = Results(tmp_path, found).scored(cases[1:2], lambda case: Results(tmp_path, found).outputs(case))
    assert missing == {"b": "refused: 2-D"}


# Tables and page


def test_the_worst_head_is_the_farthest_from_perfect():
    assert DICE.written([0.97, 0.9, 0.95]) == "0.950 (0.900)"
    assert RATIO.written([1.01, 0.98, 1.05, 0.99]) == "1.000 (1.050)"
    assert RATIO.written([]) == "–"


def test_bars_are_of_medians_or_of_the_worst_head():
    assert Bar(column="GM", within=0.02, about=1).is_met(RATIO, [1.01, 0.9, 1.02])
    assert not Bar(column="GM", within=0.02, about=1, of="worst").is_met(RATIO, [1.01, 0.9, 1.02])
    assert Bar(column="Dice GM", least=0.96).is_met(DICE, [0.96])
    assert not Bar(column="Dice GM", least=0.96).is_met(DICE, [])


def row(n_heads=2, dices=(0.97, 0.98)):
    bars = (Bar(column="Dice GM", least=0.96), Bar(column="GM", within=0.02, about=1))
    return Row(name="here", n_heads=n_heads, n_wanted=2, values={"Dice GM": dices, "GM": (1.0, 1.01)}, bars=bars)


def test_a_row_says_which_bars_it_misses():
    table = Table(title="T", columns=(DICE, RATIO), rows=(row(),))
    assert table.verdict(row()) == "yes"
    assert table.verdict(row(dices=(0.9, 0.91))) == "**no**: Dice GM"


def test_a_row_without_all_its_heads_has_not_met_its_bars_and_the_lost_head_has_a_row():
    table = Table(title="T", columns=(DICE, RATIO), rows=(row(1),), missing={"04 thick": "failed: a | b\nc"})
    lines = table.markdown({}).splitlines()
    assert "| 1 of 2 |" in lines[-2]
    assert "1 missing" in lines[-2]
    assert lines[-1].startswith("| 04 thick: missing | 0 | failed: a / b c |")
    assert len({line.count("|") for line in lines[2:]}) == 1


def test_what_was_before_stands_under_its_row():
    table = Table(title="T", columns=(DICE, RATIO), rows=(row(),))
    lines = table.markdown(json.loads(json.dumps(table.figures()))).splitlines()
    assert lines[-1] == "| *before* | 2 | 0.975 (0.970) | 1.005 (1.010) |  |  |"


def test_a_section_is_replaced_and_the_others_stay(tmp_path):
    page = tmp_path / "docs/accuracy.md"
    for key, text in (("a quick", "one"), ("a reference", "two"), ("b quick", "three"), ("a quick", r"four \1")):
        write_section(page, key, text)
    text = page.read_text()
    assert text.startswith("# Accuracy")
    assert [word for word in ("one", "two", "three", r"four \1") if word in text] == ["two", "three", r"four \1"]
    assert text.count("<!-- accuracy: a quick -->") == text.count("<!-- end of accuracy: a quick -->") == 1
    assert put_section(text, "b quick", "three") == text


# Sections as a whole


def test_heads_that_are_not_there_are_said(tmp_path):
    command = [sys.executable, "-m", "benchmarks.accuracy", str(tmp_path / "nowhere"), str(tmp_path / "work")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "nowhere is not there" in ended.stderr
    assert not (tmp_path / "work").exists()


def test_a_fruit_that_fails_or_is_doubted_meets_its_bar_and_one_that_passes_does_not(tmp_path):
    choice = Choice(folder=tmp_path, heads=("fruit",))
    save(np.ones((2, 2, 2)), tmp_path / "fruit.nii.gz")
    names = {f"{name}-{side}": 1 for name in accuracy_others.NUCLEI for side in "RL"}
    ones = np.ones((2, 2, 2))
    write_outputs(tmp_path / "out/sub-fruit/anat", (ones, {"GM": 1, "WM": 2, "CSF": 3}), (ones, names), ones)

    def verdict(fate):
        table = accuracy_others.tables(choice, Results(tmp_path / "out", {"fruit": fate}))[0]
        assert table.rows[0].n_wanted == 1
        return table.verdict(table.rows[0]), table.markdown({})

    assert verdict(Fate(cpu_s=3.0))[0].startswith("**no**")
    doubted, page = verdict(Fate(doubts=("no brain",)))
    assert doubted == "yes"
    assert "* fruit: no brain" in page
    failed, page = verdict(Fate(failure="failed: no T1w"))
    assert failed == "yes"
    assert "failed: no T1w" in page
