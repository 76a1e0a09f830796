"""The command ``tntpipe``: parse, settle, run, and turn what went wrong into one message and an exit status."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

from tntpipe.cli.parser import parse
from tntpipe.cli.settings import settings_of
from tntpipe.errors import ExitStatus, TntpipeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        settings = settings_of(parse(words))
        from tntpipe.cli.run import run_participants

        return int(run_participants(settings, words))
    except TntpipeError as error:
        print(f"tntpipe: {error}", file=sys.stderr)
        if "--loglevel=DEBUG" in words or "-v" in words or "-vv" in words:
            traceback.print_exc()
        return int(error.exit_status)
    except KeyboardInterrupt:
        print("tntpipe: interrupted before anything ran.", file=sys.stderr)
        return int(ExitStatus.INTERRUPTED)
    except BrokenPipeError:
        return int(ExitStatus.INPUT_OUTPUT)


if __name__ == "__main__":
    sys.exit(main())
