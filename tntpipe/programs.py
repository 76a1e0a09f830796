"""The programs that steps name: how each starts on this machine, and the version that its results depend on."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tntpipe import lifeline
from tntpipe.ants import PROGRAMS, Ants, find_ants
from tntpipe.errors import ProgramMissingError

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
    commands = dict(ants.commands) | {"imaging": (sys.executable, "-m", "tntpipe.imaging")}
    if ants.flavour == "native":
        commands |= {name: lifeline.command(path) for name, (path,) in ants.commands.items()}
    versions = dict.fromkeys(ants.commands, f"{ants.flavour} {ants.version}")
    versions["imaging"] = _code_digest(Path(__file__).with_name("imaging"))
    if bet:
        path = shutil.which("bet")
        if path is None:
            raise ProgramMissingError(
                "bet was asked for, but it is not on PATH.",
                remedy="Load FSL, or leave --brain_extraction out: the template finds the brain then.",
            )
        commands["bet"], versions["bet"] = lifeline.command(path), f"bet {_fsl_version(Path(path))}"
    return Programs(ants=ants, commands=commands, versions=versions)


def _code_digest(folder: Path) -> str:
    """A digest of the code itself, so that a changed operation is run again whatever the version says."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"tntpipe.imaging {digest.hexdigest()[:16]}"


def _fsl_version(bet: Path) -> str:
    for folder in bet.resolve().parents:
        if (folder / "etc/fslversion").is_file():
            return (folder / "etc/fslversion").read_text(encoding="utf-8").strip()
    return "of unknown version"
