"""The programs that steps name: how each starts on this machine, and the version that its results depend on."""

from __future__ import annotations

import ast
import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tntpipe.errors import ProgramMissingError
from tntpipe.processes import parent_death
from tntpipe.processes.child_python import python_command
from tntpipe.programs.ants import PROGRAMS, Ants, find_ants

ANTS_PROGRAMS = frozenset(PROGRAMS)
"""Programs that take as many threads as they are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Commands and versions by program."""

    ants: Ants
    commands: Mapping[str, tuple[str, ...]]
    versions: Mapping[str, str]


def find_programs(*, bet: bool) -> Programs:
    """All that a run needs; ``bet`` says whether FSL's is among it.

    Raises
    ------
    ProgramMissingError
        ANTs, or bet where it is wanted, is not installed.
    """
    ants = find_ants()
    commands = dict(ants.commands) | {"imaging": python_command("tntpipe.imaging")}
    if ants.flavour == "native":
        commands |= {name: parent_death.command(path) for name, (path,) in ants.commands.items()}
    versions = dict.fromkeys(ants.commands, f"{ants.flavour} {ants.version}")
    versions["imaging"] = code_digest(Path(__file__).parents[1] / "imaging")
    if bet:
        path = shutil.which("bet")
        if path is None:
            raise ProgramMissingError(
                "bet was asked for, but it is not on PATH.",
                remedy="Load FSL, or leave --brain_extraction out: the template finds the brain then.",
            )
        commands["bet"], versions["bet"] = parent_death.command(path), f"bet {_fsl_version(Path(path))}"
    return Programs(ants=ants, commands=commands, versions=versions)


def code_digest(folder: Path) -> str:
    """A digest of what the code in a folder says, so that a changed operation is run again whatever the version is.

    It is of all files' top-level statements, in an order that does not depend on the files: code that moves from one
    file to another is still the same, and so is the table of operations that names it. Imports count by what is
    imported, and from where only if it is not ours.
    """
    statements = {text for path in folder.rglob("*.py") for text in _statements(path.read_text(encoding="utf-8"))}
    return f"tntpipe.imaging {hashlib.sha256(chr(0).join(sorted(statements)).encode()).hexdigest()[:16]}"


def _statements(code: str) -> Iterator[str]:
    """The source of each top-level statement, with its decorators; a module's own docstring is none."""
    lines = code.splitlines()
    for node in ast.parse(code).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            source = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            ours = source.partition(".")[0] == "tntpipe"
            yield from (f"import {'' if ours else source} {alias.name} as {alias.asname}" for alias in node.names)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
            yield re.sub(r'"\w+:(\w+_file)"', r'"\1"', "\n".join(lines[first - 1 : node.end_lineno]))


def _fsl_version(bet: Path) -> str:
    for folder in bet.resolve().parents:
        if (folder / "etc/fslversion").is_file():
            return (folder / "etc/fslversion").read_text(encoding="utf-8").strip()
    return "of unknown version"
