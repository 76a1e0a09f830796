"""The levels by name: what each runs, and that only options are typed that mean something to it.

What is imported for a level is imported when it is run: ``--help`` and ``status`` do not wait for nibabel.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

from tntpipe.cli import hints
from tntpipe.cli.parser import LEVELS, make_parser, typed_options
from tntpipe.errors import SIGNALLED, ExitStatus, UsageError

Run = Callable[[argparse.Namespace, Sequence[str]], ExitStatus]


class UnknownLevelError(UsageError):
    """The level is none of ours."""

    exit_status = ExitStatus.UNKNOWN_LEVEL


def run_levels(options: argparse.Namespace, words: Sequence[str]) -> ExitStatus:
    """Run the levels that were named, in turn, until a signal stops one; the first status that is not all well.

    Raises
    ------
    UnknownLevelError, UsageError
        A level that there is none of, or an option that is for none of the levels; nothing was run.
    """
    unknown = [level for level in options.levels if level not in LEVELS]
    if unknown:
        named = ", ".join(map(repr, unknown))
        raise UnknownLevelError(f"There is no level {named}.", remedy=hints.of_level(unknown[0], words, LEVELS))
    _refuse_foreign(options.levels, words)
    first = ExitStatus.SUCCESS
    for level in dict.fromkeys(options.levels):
        status = _RUN[level](options, words)
        first = first or status
        if status > SIGNALLED:
            break
    return first


def _refuse_foreign(levels: Sequence[str], words: Sequence[str]) -> None:
    levels_of = make_parser().levels_of
    for name in typed_options(words):
        taken_by = levels_of.get(name, ())
        if taken_by and not set(taken_by).intersection(levels):
            raise UsageError(
                f"--{name} is for the level {' or '.join(taken_by)}; {' and '.join(levels)} cannot use it.",
                remedy="Leave it out.",
            )


def _participant(options: argparse.Namespace, words: Sequence[str]) -> ExitStatus:
    from tntpipe.cli.participant import run_participants
    from tntpipe.cli.settings import settings_of

    return run_participants(settings_of(options, words))


def _create_resource_file(options: argparse.Namespace, _words: Sequence[str]) -> ExitStatus:
    from tntpipe.cli.create_resource_file import create_resource_file

    return create_resource_file(options)


def _status(options: argparse.Namespace, _words: Sequence[str]) -> ExitStatus:
    from tntpipe.cli.status import show_status

    return show_status(options)


def _report(options: argparse.Namespace, _words: Sequence[str]) -> ExitStatus:
    from tntpipe.cli.report import show_report

    return show_report(options)


def _group(options: argparse.Namespace, _words: Sequence[str]) -> ExitStatus:
    from tntpipe.cli.group import write_tables

    return write_tables(options)


def _verify(options: argparse.Namespace, _words: Sequence[str]) -> ExitStatus:
    from tntpipe.cli.verify import verify_outputs

    return verify_outputs(options)


_RUN: Mapping[str, Run] = {
    "participant": _participant,
    "create_resource_file": _create_resource_file,
    "status": _status,
    "report": _report,
    "verify": _verify,
    "group": _group,
}
