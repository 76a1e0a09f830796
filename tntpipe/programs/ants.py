"""Which ANTs runs, and the child that is an ANTs command when no native ANTs is installed.

A native ANTs wins: the first folder (``$ANTSPATH``, then those of ``PATH``) that has every program that tntpipe calls.
Otherwise the extension module of the ``antspyx`` wheel carries ANTs itself: its functions take the argument list of the
command of that name. The child loads that one file by its path, because ``import ants`` takes seconds and does not give
a command line.

By hand: ``tntpipe-ants antsRegistration --help``, or ``python -m tntpipe.programs.ants antsRegistration --help``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import machinery, metadata, util
from pathlib import Path
from types import ModuleType

from tntpipe.errors import ProgramMissingError, TntpipeError
from tntpipe.processes import parent_death
from tntpipe.processes.child_python import kept_variables, python_command
from tntpipe.processes.parent_death import die_with_parent

PROGRAMS = (
    "antsRegistration",
    "antsApplyTransforms",
    "antsApplyTransformsToPoints",
    "N4BiasFieldCorrection",
    "Atropos",
)
"""The programs that the steps call; a native ANTs that lacks one of them is not used."""

VERSION_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Ants:
    """The ANTs of a run: ``flavour`` is ``native`` or ``wheel``; ``commands`` maps a program to the start of its
    argv."""

    flavour: str
    version: str
    where: str
    commands: Mapping[str, tuple[str, ...]]

    def __str__(self) -> str:
        return f"ANTs {self.version} ({self.flavour}: {self.where})"


def find_ants(environ: Mapping[str, str] = os.environ) -> Ants:
    """The ANTs to use: native where all of it is there, else the wheel's.

    Raises
    ------
    ProgramMissingError
        Neither is installed.
    """
    return _native(environ) or _wheel()


def _native(environ: Mapping[str, str]) -> Ants | None:
    folders = [environ.get("ANTSPATH", ""), *environ.get("PATH", "").split(os.pathsep)]
    for folder in filter(None, folders):
        found = {name: shutil.which(name, path=folder) for name in PROGRAMS}
        commands = {name: (str(Path(path).absolute()),) for name, path in found.items() if path}
        if len(commands) == len(PROGRAMS):  # all from one folder: the version of one is that of all
            (first,) = commands[PROGRAMS[0]]
            version = _version(first, parent_death.command(first))
            return Ants("native", version, str(Path(folder).absolute()), commands)
    return None


def _wheel() -> Ants:
    library = find_library()
    commands = {name: python_command("tntpipe.programs.ants", name) for name in PROGRAMS}
    wheel = metadata.version("antspyx")
    version = _version(str(library), commands[PROGRAMS[0]])
    return Ants("wheel", f"{version} in antspyx {wheel}", str(library.parent), commands)


def _version(program: str, command: Sequence[str]) -> str:
    """What ``--version`` says, without its label, of the program that the command starts.

    It is started as the steps will be: what lies in the current folder is not looked at.
    """
    try:
        said = subprocess.run(
            [*command, "--version"],
            cwd="/",
            env=kept_variables(),
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ProgramMissingError(
            f"{program} is there but does not run: {error}.",
            remedy="Run it with --version by hand to see why, or take it off PATH so that the antspyx wheel is used.",
        ) from error
    match = re.search(r"ANTs Version:\s*(\S+)", said.stdout)
    return match.group(1) if match else "unknown"


def find_library() -> Path:
    """The path of the extension module of ``antspyx``, found without importing the package."""
    elsewhere = [path for path in sys.path if path and Path(path) != Path.cwd()]  # an ants/ of the user's is none
    spec = machinery.PathFinder.find_spec("ants", elsewhere)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for suffix in machinery.EXTENSION_SUFFIXES:
            library = Path(folder) / f"lib{suffix}"
            if library.is_file():
                return library
    raise ProgramMissingError(
        "No ANTs was found: antsRegistration is neither in $ANTSPATH nor on PATH, and antspyx is not installed.",
        remedy=f"Install it with: {sys.executable} -m pip install antspyx",
    )


def load_library(path: Path) -> ModuleType:
    """The extension module at ``path``; a global state of ITK comes with it, so once a process."""
    loader = machinery.ExtensionFileLoader("lib", str(path))
    spec = util.spec_from_file_location("lib", path, loader=loader)
    assert spec is not None
    module = util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one ANTs program of the wheel in this process; returns its exit status."""
    die_with_parent()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(f"usage: tntpipe-ants PROGRAM [its arguments]\n\nPrograms that tntpipe calls: {', '.join(PROGRAMS)}")
        return 0 if words else 64
    try:
        library = load_library(find_library())
    except TntpipeError as error:
        print(f"tntpipe-ants: {error}", file=sys.stderr)
        return int(error.exit_status)
    program = getattr(library, words[0], None)
    if words[0].startswith("_") or not callable(program):
        print(f"tntpipe-ants: the antspyx wheel has no program {words[0]!r}.", file=sys.stderr)
        return 64
    try:
        return int(program(words[1:]))
    except Exception as error:  # ITK's exceptions arrive as whatever the binding makes of them
        print(f"{words[0]}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
