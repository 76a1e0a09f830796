"""Which programs run: a whole native ANTs before the wheel, bet only where it is wanted."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import tntpipe
from tntpipe.errors import ExitStatus, ProgramMissingError
from tntpipe.programs.ants import PROGRAMS, find_ants
from tntpipe.programs.find import code_digest, find_programs

SAYS = "#!/bin/sh\necho 'ANTs Version: {}'\necho 'Compiled: Jan  1 2025'\n"


def install(folder: Path, names: Iterable[str] = PROGRAMS, *, version: str = "v9.9.9", text: str = SAYS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(text.format(version))
        (folder / name).chmod(0o755)
    return folder


def test_a_native_ants_on_path_wins_over_the_wheel(tmp_path: Path) -> None:
    native = install(tmp_path / "bin")
    ants = find_ants({"PATH": f"/nowhere:{native}"})
    assert (ants.flavour, ants.version, ants.where) == ("native", "v9.9.9", str(native))
    assert ants.commands == {name: (str(native / name),) for name in PROGRAMS}
    assert str(ants) == f"ANTs v9.9.9 (native: {native})"


def test_antspath_comes_before_path(tmp_path: Path) -> None:
    first, second = install(tmp_path / "1", version="v1"), install(tmp_path / "2", version="v2")
    assert find_ants({"ANTSPATH": f"{first}/", "PATH": str(second)}).version == "v1"


@pytest.mark.parametrize("environ", [{}, {"PATH": ""}, {"ANTSPATH": "", "PATH": "::"}])
def test_without_a_native_ants_the_wheel_serves(environ: dict[str, str]) -> None:
    ants = find_ants(environ)
    assert ants.flavour == "wheel"
    assert re.fullmatch(r"v?\d+\.\d+\.\S+ in antspyx \d\S+", ants.version)
    assert ants.commands["Atropos"] == (sys.executable, "-m", "tntpipe.programs.ants", "Atropos")


def test_a_partial_native_ants_does_not_serve(tmp_path: Path) -> None:
    assert find_ants({"PATH": str(install(tmp_path, PROGRAMS[:-1]))}).flavour == "wheel"


def test_a_program_that_may_not_be_run_is_not_there(tmp_path: Path) -> None:
    (install(tmp_path) / PROGRAMS[2]).chmod(0o644)
    assert find_ants({"PATH": str(tmp_path)}).flavour == "wheel"


def test_two_partial_ones_are_never_mixed(tmp_path: Path) -> None:
    halves = install(tmp_path / "1", PROGRAMS[:3], version="v1"), install(tmp_path / "2", PROGRAMS[3:], version="v2")
    assert find_ants({"ANTSPATH": str(halves[0]), "PATH": str(halves[1])}).flavour == "wheel"
    whole = install(tmp_path / "3", version="v3")
    assert find_ants({"ANTSPATH": str(halves[0]), "PATH": os.pathsep.join(map(str, (*halves, whole)))}).version == "v3"


def test_a_native_ants_keeps_the_names_of_its_links(tmp_path: Path) -> None:
    """A wrapper of a container finds out what it is called as."""
    wrapper = install(tmp_path / "real", ["wrapper"]) / "wrapper"
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS:
        (tmp_path / "bin" / name).symlink_to(wrapper)
    assert find_ants({"PATH": str(tmp_path / "bin")}).commands["Atropos"] == (str(tmp_path / "bin/Atropos"),)


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "no program"], ids=["fails", "is none"])
def test_a_native_ants_that_does_not_run_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProgramMissingError, match="is there but does not run") as caught:
        find_ants({"PATH": str(install(tmp_path, text=text))})
    assert caught.value.exit_status == ExitStatus.PROGRAM_MISSING == 69


def test_a_version_in_other_words_is_unknown(tmp_path: Path) -> None:
    assert find_ants({"PATH": str(install(tmp_path, text="#!/bin/sh\necho hello\n"))}).version == "unknown"


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A native ANTs that is all there is on PATH."""
    folder = install(tmp_path / "fsl/bin")
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    monkeypatch.setattr("tntpipe.programs.find.find_ants", lambda: find_ants({"PATH": str(folder)}))
    return folder


def test_bet_that_is_not_there_is_status_69_only_where_it_is_wanted(native: Path) -> None:
    with pytest.raises(ProgramMissingError, match="not on PATH") as caught:
        find_programs(bet=True)
    assert caught.value.exit_status == 69
    assert "bet" not in find_programs(bet=False).commands


def test_bet_comes_with_fsls_version(native: Path) -> None:
    install(native, ["bet"])
    assert find_programs(bet=True).versions["bet"] == "bet of unknown version"
    (native.parent / "etc").mkdir()
    (native.parent / "etc/fslversion").write_text("6.0.7\n")
    found = find_programs(bet=True)
    assert found.commands["bet"][-1] == str(native / "bet") and found.versions["bet"] == "bet 6.0.7"


def test_every_program_has_a_command_and_a_version(native: Path) -> None:
    found = find_programs(bet=False)
    assert set(found.commands) == set(found.versions) == {*PROGRAMS, "imaging"}
    assert found.versions["Atropos"] == "native v9.9.9"
    assert re.fullmatch(r"tntpipe\.imaging [0-9a-f]{16}", found.versions["imaging"])


IMAGING = Path(tntpipe.__file__).parent / "imaging"


@pytest.fixture
def imaging(tmp_path: Path) -> Path:
    """A copy of the code of tntpipe.imaging."""
    return Path(shutil.copytree(IMAGING, tmp_path / "imaging"))


def test_the_version_of_imaging_is_the_digest_of_its_folder(native: Path) -> None:
    assert find_programs(bet=False).versions["imaging"] == code_digest(IMAGING)


@pytest.mark.parametrize("path", sorted(IMAGING.rglob("*.py")), ids=lambda path: str(path.relative_to(IMAGING)))
def test_a_change_in_any_file_of_imaging_is_another_version(path: Path, imaging: Path) -> None:
    before = code_digest(imaging)
    with (imaging / path.relative_to(IMAGING)).open("a") as file:
        file.write("\nCHANGED = 1\n")
    assert code_digest(imaging) != before


def test_a_changed_operation_is_another_version(imaging: Path) -> None:
    before = code_digest(imaging)
    text = (imaging / "padding.py").read_text()
    (imaging / "padding.py").write_text(text.replace("    return ", "    return  ", 1))
    assert code_digest(imaging) != before


def test_imaging_code_that_moves_is_the_same_version(imaging: Path) -> None:
    """Into a folder below, into another file, and with the imports that belong to it."""
    before = code_digest(imaging)
    (imaging / "grids").mkdir()
    (imaging / "padding.py").rename(imaging / "grids/margins.py")
    (imaging / "noise.py").write_text(
        (imaging / "noise.py").read_text().replace("tntpipe.imaging.padding", "tntpipe.imaging.grids.margins")
    )
    head, text = (imaging / "head.py").read_text(), (imaging / "points.py").read_text()
    (imaging / "points.py").write_text(text + head.partition("from __future__ import annotations\n")[2])
    (imaging / "head.py").unlink()
    assert code_digest(imaging) == before


def test_what_imaging_imports_from_elsewhere_is_part_of_its_version(imaging: Path) -> None:
    before = code_digest(imaging)
    text = (imaging / "padding.py").read_text()
    assert "import numpy as np\n" in text
    (imaging / "padding.py").write_text(text.replace("import numpy as np\n", "import cupy as np\n"))
    assert code_digest(imaging) != before
