"""The child that is an ANTs command of the wheel, as a user runs it by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tntpipe.errors import ProgramMissingError
from tntpipe.programs.ants import PROGRAMS, find_library, main


def ants(*words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tntpipe.programs.ants", *words]
    root = str(Path(__file__).resolve().parents[2])
    environ = {"PATH": "/bin", "PYTHONPATH": root}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ, check=False, timeout=60)


def test_help_names_the_programs() -> None:
    said = ants("--help")
    assert said.returncode == 0 and all(name in said.stdout for name in PROGRAMS)
    assert ants().returncode == 64


@pytest.mark.parametrize("word", ["noSuchProgram", "__name__", "__doc__", "__class__", "os", "a-b", "-x"])
def test_a_program_that_the_wheel_does_not_have_is_refused_by_name(word: str) -> None:
    said = ants(word)
    assert said.returncode == 64 and repr(word) in said.stderr


def test_the_real_antsregistration_says_its_version() -> None:
    said = ants("antsRegistration", "--version")
    assert said.returncode == 0 and said.stdout.startswith("ANTs Version: ")


def test_the_wheel_has_every_program_that_the_steps_call() -> None:
    script = (
        "from tntpipe.programs.ants import PROGRAMS, find_library, load_library\n"
        "library = load_library(find_library())\n"
        "print([callable(getattr(library, name)) for name in PROGRAMS])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str([True] * len(PROGRAMS))


BAD = "--image-dimensionality 3 --input-image bad.nii.gz --output out.nii.gz"


@pytest.mark.parametrize(
    "line",
    [
        f"N4BiasFieldCorrection {BAD}",
        f"N4BiasFieldCorrection {BAD.replace('bad', 'none')}",
        "antsApplyTransforms --dimensionality 3 --input bad.nii.gz --reference-image bad.nii.gz --output out.nii.gz",
        "antsRegistration --no-such-option 1",
    ],
    ids=["bad image", "no image", "bad reference", "bad option"],
)
def test_what_ants_cannot_do_ends_with_a_status_that_is_not_zero(tmp_path: Path, line: str) -> None:
    (tmp_path / "bad.nii.gz").write_bytes(bytes(range(256)) * 12)
    said = ants(*line.split(), folder=tmp_path)
    assert said.returncode != 0
    assert not (tmp_path / "out.nii.gz").exists()


def test_without_the_wheel_the_remedy_is_its_installation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.machinery.PathFinder.find_spec", lambda *_words: None)
    monkeypatch.setattr("tntpipe.programs.ants.die_with_parent", lambda: None)
    with pytest.raises(ProgramMissingError, match="pip install antspyx"):
        find_library()
    assert main(["antsRegistration"]) == 69
    assert "pip install antspyx" in capsys.readouterr().err
