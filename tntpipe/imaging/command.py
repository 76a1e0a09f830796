"""What a command of ``python -m tntpipe.imaging`` is, and how one is found that is in no list.

The command ``some-name`` is the function ``some_name_file`` of the module ``some_name``. Its options are the function's
parameters: a number where the default is one, else a file; required where there is no default. The module is read, not
imported: its imports are only paid for when the command runs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Option:
    """``--name``: a file or text, or a number where ``default`` is one; required where there is no default and it is
    not said to be ``optional``."""

    name: str
    help: str
    default: float | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: the function (``module:name``) that is called with its options as keywords."""

    name: str
    function: str
    help: str
    options: tuple[Option, ...]


def found_command(name: str, folder: Path = Path(__file__).parent) -> Command | None:
    """The command of that name by its module; None where there is no such module or function."""
    module = name.replace("-", "_")
    path = folder / f"{module}.py"
    if not NAME.fullmatch(name) or not path.is_file():
        return None
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == f"{module}_file":
            help_text = (ast.get_docstring(node) or name).splitlines()[0]
            return Command(name, f"{module}:{node.name}", help_text, tuple(_options(node.args)))
    return None


def found_commands(folder: Path = Path(__file__).parent) -> Iterator[Command]:
    """Every command that a module has by its name."""
    for path in sorted(folder.glob("*.py")):
        command = found_command(path.stem.replace("_", "-"), folder)
        if command is not None:
            yield command


def _options(parameters: ast.arguments) -> Iterator[Option]:
    positional = [*parameters.posonlyargs, *parameters.args]
    without = [None] * (len(positional) - len(parameters.defaults))
    defaults = [*without, *parameters.defaults, *parameters.kw_defaults]
    for parameter, default in zip([*positional, *parameters.kwonlyargs], defaults, strict=True):
        annotation = f"{ast.unparse(parameter.annotation)} " if parameter.annotation else ""
        text = f"{annotation}{parameter.arg}"
        if default is None:
            yield Option(parameter.arg, text)
            continue
        value = ast.literal_eval(default)
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        yield Option(parameter.arg, text, number, optional=number is None)
