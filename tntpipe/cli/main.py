"""The command ``tntpipe``: parse, settle, run, and turn what went wrong into one message and an exit status."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import traceback
from collections.abc import Sequence

from tntpipe import __version__
from tntpipe.cli.config import options_of
from tntpipe.cli.levels import run_levels
from tntpipe.errors import ExitStatus, TntpipeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # asks a run how things stand; before there is one, nothing happens
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may be in another encoding
    try:
        status = _status_of(words)
        sys.stdout.flush()
    except BrokenPipeError:  # what read our output has ended; Python must not try to flush the rest at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitStatus.INPUT_OUTPUT)
    return status


def _status_of(words: Sequence[str]) -> int:
    try:
        return int(run_levels(options_of(words), words))
    except SystemExit as ended:  # --help and --version
        return int(ended.code or 0)
    except TntpipeError as error:
        return _failed(words, error.exit_status, str(error))
    except KeyboardInterrupt:
        return _failed(words, ExitStatus.INTERRUPTED, "interrupted before anything ran.")
    except BrokenPipeError:
        raise
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        remedy = "See to the disk and the permissions, then give the same command again: what is finished is kept."
        return _failed(words, ExitStatus.INPUT_OUTPUT, f"{said}. {remedy}")
    except Exception as error:
        said = f"an error in tntpipe {__version__} itself: {type(error).__name__}: {error}."
        remedy = (
            "Please report it where you got tntpipe from, with the command and what it says when -vv is added. "
            "What is finished is kept."
        )
        return _failed(words, ExitStatus.SOFTWARE, f"{said} {remedy}")


def _failed(words: Sequence[str], status: ExitStatus, message: str) -> int:
    """Say what went wrong, and where in the code to those who asked for that much."""
    print(f"tntpipe: {message}", file=sys.stderr)
    n_verbose = sum(len(word) - 1 if re.fullmatch("-v+", word) else word == "--verbose" for word in words)
    if status is not ExitStatus.INTERRUPTED and n_verbose >= 2:
        traceback.print_exc()
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
