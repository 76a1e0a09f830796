"""Worker threads of the time before a run, which do not hold up its end."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

NO_THREAD = "can't start new thread"
"""What Python says where the system allows no more of them."""


@contextmanager
def worker_threads(n_threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool that is done when the block ends; when a signal ends the block, what it does is left as it is."""
    pool = ThreadPoolExecutor(n_threads)
    try:
        yield pool
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    except RuntimeError as error:
        pool.shutdown(cancel_futures=True)
        if str(error) == NO_THREAD:
            raise OSError(errno.EAGAIN, "No thread could be started") from error
        raise
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()
