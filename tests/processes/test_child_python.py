"""A child finds what its parent found, and nothing that lies in the current folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tntpipe
from tntpipe.processes.child_python import ROOT, kept_variables, python_command

TELL = "import json, pathlib, sys; print(json.dumps([sys.path, pathlib.__file__, sys.flags.no_user_site]))"


def told(*words: str, environ: dict[str, str]) -> list[object]:
    ended = subprocess.run(words, cwd="/", env=environ, capture_output=True, text=True, check=True)
    answer: list[object] = json.loads(ended.stdout)
    return answer


def test_no_module_of_site_packages_comes_before_the_standard_library() -> None:
    """As it did where the package's folder, which then is site-packages, was put into PYTHONPATH."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    given = kept_variables(environ)
    assert "PYTHONPATH" not in given
    path, pathlib_file, _ = told(sys.executable, "-c", TELL, environ=given)
    assert isinstance(path, list) and isinstance(pathlib_file, str)
    stdlib = str(Path(os.__file__).parent)
    assert pathlib_file.startswith(stdlib) and "site-packages" not in pathlib_file
    assert not any("site-packages" in entry for entry in path[: path.index(stdlib)])


def test_the_package_comes_last_where_a_fresh_interpreter_does_not_find_it(tmp_path: Path) -> None:
    """A copy that only the parent's own sys.path holds, beside a dead backport of pathlib."""
    shutil.copytree(Path(tntpipe.__file__).parent / "processes", tmp_path / "tntpipe/processes")
    (tmp_path / "tntpipe/__init__.py").write_text('__version__ = "copy"\n')
    (tmp_path / "pathlib.py").write_text('raise ImportError("a dead backport")\n')
    (tmp_path / "tntpipe/echo.py").write_text(
        "import pathlib, sys, tntpipe; print(tntpipe.__version__, sys.argv[1:])\n"
    )
    code = (
        f"import sys; sys.path.append({str(tmp_path)!r}); import subprocess\n"
        "sys.meta_path[:] = [finder for finder in sys.meta_path if 'editable' not in str(finder).lower()]\n"
        "from tntpipe.processes.child_python import python_command, kept_variables\n"
        "command = python_command('tntpipe.echo', 'a b')\n"
        "assert '-c' in command, command\n"
        "print(subprocess.run(command, env=kept_variables(), cwd='/', capture_output=True, text=True))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=True)
    assert "copy ['a b']" in ended.stdout, ended.stdout


def test_a_child_is_started_with_the_flags_that_change_where_python_looks() -> None:
    code = "from tntpipe.processes.child_python import python_command as of; print(*of('tntpipe.imaging'))"
    environ = {**os.environ, "PYTHONPATH": ROOT}
    ended = subprocess.run([sys.executable, "-s", "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert ended.stdout.split()[1] == "-s" and python_command("tntpipe.imaging")[1] in ("-m", "-c")


@pytest.mark.parametrize("name", ["random.py", "copy.py", "types.py", "ants/__init__.py", "tntpipe/__init__.py"])
def test_nothing_in_the_current_folder_is_run(tmp_path: Path, name: str) -> None:
    trap = tmp_path / name
    trap.parent.mkdir(exist_ok=True)
    trap.write_text(f"open({str(tmp_path / 'sprung')!r}, 'w').close()\n")
    command = Path(sys.executable).with_name("tntpipe")
    words = [str(command), str(tmp_path / "nothing"), str(tmp_path / "out"), "participant", "--dry-run"]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    code = "from tntpipe.programs.ants import find_ants; print(find_ants({}))"
    probed = subprocess.run(
        [sys.executable, "-P", "-c", code] if sys.version_info >= (3, 11) else [sys.executable, "-I", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "does not run" not in ended.stderr + probed.stderr and "wheel" in probed.stdout, probed.stderr
    assert not (tmp_path / "sprung").exists()
