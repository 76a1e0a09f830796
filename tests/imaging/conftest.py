"""Real heads, small images with a chosen header, and the command as a real child."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import tntpipe

ROOT = Path(tntpipe.__file__).parent
HEADS = sorted((ROOT / "data/example/bids").glob("sub-*/anat/sub-*_T1w.nii.gz"))

Write = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=HEADS, ids=lambda path: path.name.partition("_")[0])
def head(request: pytest.FixtureRequest) -> Path:
    """Each of the real 2 mm heads that ship with tntpipe."""
    return Path(request.param)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run("rescale", "--input", …)`` in the scratch folder ``tmp_path``."""

    def run_child(*words: str | Path, module: str = "tntpipe.imaging") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", module, *map(str, words)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT.parent), "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run_child


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an image of a ramp (or of given voxels) with a 5 mm qform, or with whatever the test asks for."""

    def write_image(
        name: str = "scan.nii.gz",
        voxels: np.ndarray | None = None,
        *,
        qform: np.ndarray | None = None,
        sform: np.ndarray | None = None,
        fields: dict[str, object] | None = None,
    ) -> Path:
        if voxels is None:
            voxels = np.arange(20 * 18 * 16, dtype=np.int16).reshape(20, 18, 16)
        image = nib.Nifti1Image(voxels, None)
        if qform is None and sform is None:
            qform = np.diag([5.0, 5, 5, 1])
        image.set_qform(qform, code=1 if qform is not None else 0)
        image.set_sform(sform, code=1 if sform is not None else 0)
        image.to_filename(tmp_path / name)
        if fields:
            overwrite_fields(tmp_path / name, fields)
        return tmp_path / name

    return write_image


def overwrite_fields(path: Path, fields: dict[str, object]) -> None:
    """Put raw values into the header of an uncompressed image, past nibabel's checks."""
    content = path.read_bytes()
    header = nib.Nifti1Header(binaryblock=content[:348], check=False)
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(header.binaryblock + content[348:])
