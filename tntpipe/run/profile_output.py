"""The profile of a run as a file: that it can be written is made sure before the run; it is made from the journal."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tntpipe.errors import ExitStatus, OutputError, TntpipeError
from tntpipe.profiling.profile_file import read_profile, write_profile
from tntpipe.run.terminal import screen_may_be_gone


def refuse_unwritable(path: Path) -> None:
    """Make sure that the file can be written; the folders above it are made.

    Raises
    ------
    OutputError
        It cannot.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(None, "it may not be overwritten")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}.", remedy="Name a file in a folder of yours."
        ) from error


def write_profile_of_run(path: Path, journal: Path, status: ExitStatus) -> ExitStatus:
    """Write what a run used, whatever came of it; ``status``, or, where all went well but this, that it did not.

    A run in which no step ran, because all was done before, leaves a file that is there as it is.
    """
    try:
        profile = read_profile(journal)
        if not profile.steps and path.exists() and path.stat().st_size:
            _say(f"no step ran, so {path} stays as it is")
            return status
        write_profile(path, profile)
    except (OSError, TntpipeError) as error:
        _say(
            f"tntpipe: the profile {path} cannot be written: {error} The journal holds it: make it with the "
            f"level create_resource_file, --profiling_input_file {journal} and --profiling_output_file."
        )
        return ExitStatus.CANNOT_CREATE_OUTPUT if status is ExitStatus.SUCCESS else status
    _say(f"profile in {path}")
    return status


def _say(text: str) -> None:
    with screen_may_be_gone():
        print(text, file=sys.stderr, flush=True)
