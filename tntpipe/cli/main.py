"""The command ``tntpipe``: parse, settle, run, and turn what went wrong into one message and an exit status."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from tntpipe import __version__
from tntpipe.cli.config import options_of
from tntpipe.cli.levels import run_levels
from tntpipe.cli.parser import BARE, in_full
from tntpipe.errors import SIGNALLED, STOP_SIGNALS, ExitStatus, TntpipeError, told
from tntpipe.formatting import printable
from tntpipe.run.terminal import screen_may_be_gone


class Stopped(KeyboardInterrupt):
    """A signal asked the program to stop before anything ran."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def command() -> NoReturn:
    """Run the command, and end the process with its exit status."""
    _prepare_for_signals()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # this process multiplies no matrices, and threads are limited
    status = main()
    if status > SIGNALLED:  # it is to end now: threads that still read or copy a file are not waited for
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    words = in_full(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may be in another encoding
    if not words:
        print(BARE, end="", file=sys.stderr)
        return int(ExitStatus.USAGE)
    try:
        status = _status_of(words)
        sys.stdout.flush()
    except BrokenPipeError:  # what read our output has ended; Python must not try to flush the rest at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitStatus.INPUT_OUTPUT)
    return status


def _prepare_for_signals() -> None:
    """Until there is a run, signals that stop are one exception, and the second one ends the process."""

    def stop(number: int, _frame: object) -> None:
        for other in STOP_SIGNALS:
            signal.signal(other, lambda number, _frame: os._exit(SIGNALLED + number))
        raise Stopped(number)

    for number in STOP_SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, stop)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # asks a run how things stand; before there is one, nothing happens


def _status_of(words: Sequence[str]) -> int:
    try:
        return int(run_levels(options_of(words), words))
    except SystemExit as ended:  # --help and --version
        return int(ended.code or 0)
    except TntpipeError as error:
        return _failed(words, error.exit_status, str(error))
    except KeyboardInterrupt as error:
        number = error.number if isinstance(error, Stopped) else signal.SIGINT
        name = signal.Signals(number).name
        return _failed(words, ExitStatus(SIGNALLED + number), f"stopped by {name}; what is finished is kept.")
    except BrokenPipeError:
        raise
    except OSError as error:
        return _failed(words, ExitStatus.INPUT_OUTPUT, ". ".join(told(error)))
    except ImportError as error:
        if (error.name or "").split(".")[0] == "tntpipe":
            return _broken(words, error)
        remedy = "Install tntpipe into a Python environment of its own; pip check shows what does not fit together."
        package = f"The Python package {error.name}" if error.name else "A Python package"
        return _failed(words, ExitStatus.PROGRAM_MISSING, f"{package} cannot be loaded: {error}. {remedy}")
    except MemoryError:
        remedy = "End other programs, or run it where there is more: ulimit -v limits a process, a control group a job."
        return _failed(words, ExitStatus.SOFTWARE, f"There is no memory left for tntpipe itself. {remedy}")
    except Exception as error:
        return _broken(words, error)


def _broken(words: Sequence[str], error: Exception) -> int:
    """Say that the fault is tntpipe's own."""
    said = f"an error in tntpipe {__version__} itself: {type(error).__name__}: {error}."
    remedy = (
        "Please report it where you got tntpipe from, with the command and what it says when -vv is added. "
        "What is finished is kept."
    )
    return _failed(words, ExitStatus.SOFTWARE, f"{said} {remedy}")


def _failed(words: Sequence[str], status: ExitStatus, message: str) -> int:
    """Say what went wrong, and where in the code to those who asked for that much."""
    with screen_may_be_gone():
        print(f"tntpipe: {printable(message)}", file=sys.stderr, flush=True)
    n_verbose = sum(len(word) - 1 if re.fullmatch("-v+", word) else word == "--verbose" for word in words)
    if status < SIGNALLED and n_verbose >= 2:
        traceback.print_exc()
    return int(status)


if __name__ == "__main__":
    command()
