"""The world in which a child starts: the parent's own interpreter, flags and modules, and a small environment.

A child must find what its parent found. So the variables and flags that change where Python looks are handed on, and
the package's own folder is added, behind everything else, only where a fresh interpreter would not find it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

KEPT_VARIABLES = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONPLATLIBDIR", "VIRTUAL_ENV"),
    *("ANTSPATH", "FSLDIR"),
)
"""What a child inherits; everything else of the environment stays out."""

ROOT = str(Path(__file__).resolve().parents[2])
"""The folder that holds the package."""

FIND = "from importlib.util import find_spec; found = find_spec('tntpipe'); print(found.origin if found else '')"
"""Says which package a fresh interpreter would import."""

ADD_ROOT = f"""import runpy, sys
sys.path.append({ROOT!r})
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)"""


def python_command(
    module: str, *words: str, environ: Mapping[str, str] = os.environ, without_site: bool = False
) -> tuple[str, ...]:
    """How a module of ours is started as a child; ``without_site`` where it needs no other package."""
    start = (sys.executable, *_flags(), *(("-S",) if without_site else ()))
    if not without_site and _finds_us(tuple(sorted(kept_variables(environ).items()))):
        return (*start, "-m", module, *words)
    return (*start, "-c", ADD_ROOT, module, *words)


def kept_variables(environ: Mapping[str, str] = os.environ, more: Iterable[str] = ()) -> dict[str, str]:
    """The part of the environment that children inherit, with ``more`` of it by name."""
    return {name: environ[name] for name in (*KEPT_VARIABLES, *more) if name in environ} | {
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
    }


def _flags() -> tuple[str, ...]:
    """Those of this interpreter that change where it looks for modules."""
    if sys.flags.isolated:
        return ("-I",)
    chosen = {"-E": sys.flags.ignore_environment, "-s": sys.flags.no_user_site, "-S": sys.flags.no_site}
    return tuple(flag for flag, is_set in chosen.items() if is_set)


@cache
def _finds_us(environ: tuple[tuple[str, str], ...]) -> bool:
    """Whether a fresh interpreter imports the package that this one runs."""
    try:
        said = subprocess.run(
            [sys.executable, *_flags(), "-c", FIND], cwd="/", env=dict(environ), capture_output=True, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return os.path.realpath(os.fsdecode(said.rstrip(b"\n"))) == str(Path(ROOT, "tntpipe/__init__.py"))
