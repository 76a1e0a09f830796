"""Work in a thread of a pool, or in this one where the system allows no more threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


def in_background(pool: ThreadPoolExecutor, work: Callable[[], None]) -> Future[None]:
    """Have the work done once, and tell by the future when it is."""
    done: Future[None] = Future()
    taken = threading.Lock()

    def do() -> None:
        if taken.acquire(blocking=False):
            try:
                work()
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(None)

    try:
        pool.submit(do)
    except RuntimeError:  # no thread can be started; one that there is may still take it
        do()
    return done
