"""The screen may go away (a closed terminal, a pager that has ended) while a run goes on."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def screen_may_be_gone() -> Iterator[None]:
    """Around what writes to standard error: when that fails, it and all that follows goes to nowhere."""
    try:
        yield
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stderr.fileno())
            os.close(nowhere)
