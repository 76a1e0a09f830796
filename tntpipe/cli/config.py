"""Options from a TOML file, as if they were typed before the command line's own, which win.

A key is an option's name without its hyphens, in either spelling; ``true`` gives an option that takes no value, a list
one that takes several. Paths in the file are relative to where the command is given, as typed ones are.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tntpipe.cli.parser import parse
from tntpipe.errors import InputMissingError, UsageError
from tntpipe.files import regular

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NOT_IN_A_FILE = ("help", "version", "config_file")
_POSITIONALS = ("bids", "out", "participant")


def options_of(words: Sequence[str]) -> argparse.Namespace:
    """The options of a command line and of the configuration file that it names.

    Raises
    ------
    UsageError, InputMissingError
        A word, or the file or something in it, makes no sense or is not there.
    """
    options = parse(words)
    return options if options.config_file is None else parse(words, _defaults(options.config_file))


def _defaults(path: Path) -> dict[str, Any]:
    """What the file says, by the option's name in the parsed options; its lists give way to those that are typed."""
    words: list[str] = []
    for key, value in _read(path).items():
        name = key.replace("-", "_")
        if name in NOT_IN_A_FILE or not re.fullmatch(r"[a-z]\w+", name) or isinstance(value, dict):
            raise _unusable(path, f"{key!r} cannot be set there.")
        if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
            raise _unusable(path, f"{key!r} cannot hold lists or tables.")
        option = [f"--{name}", *map(str, value)] if isinstance(value, list) else [f"--{name}={value}"]
        option = option if not isinstance(value, bool) else [f"--{name}"]
        _parsed(path, option)
        words += [] if value is False else option
    unset = vars(parse(_POSITIONALS))
    said = vars(_parsed(path, words))
    changed = {name: value for name, value in said.items() if value != unset[name]}
    return {name: list(value) if isinstance(value, list) else value for name, value in changed.items()}


def _parsed(path: Path, words: Sequence[str]) -> argparse.Namespace:
    try:
        return parse([*_POSITIONALS, *words])
    except UsageError as error:
        raise _unusable(path, error.fact) from error


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return dict(tomllib.loads(regular(path).read_text(encoding="utf-8-sig")))
    except (ValueError, RecursionError) as error:
        raise _unusable(path, f"It is not TOML: {error}.") from error
    except OSError as error:
        raise InputMissingError(
            f"The configuration file {path} cannot be read: {error.strerror}.", remedy="Check --config_file."
        ) from error


def _unusable(path: Path, fact: str) -> UsageError:
    return UsageError(
        f"The configuration file {path}: {fact}",
        remedy="Its keys are the options of tntpipe --help without hyphens, as in n_proc = 4.",
    )
