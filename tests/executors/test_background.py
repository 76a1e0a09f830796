"""Work in a thread of a pool, or here where there can be none; once in any case."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tntpipe.executors.background import in_background


class NoThreads(ThreadPoolExecutor):
    """As the pool of the standard library is where no thread can be started: what was submitted stays in its queue."""

    def __init__(self) -> None:
        super().__init__(1)
        self.queued: list[Callable[[], None]] = []

    def submit(self, work: Callable[[], None]) -> None:  # type: ignore[override]
        self.queued.append(work)
        raise RuntimeError("can't start new thread")


def test_work_is_done_in_another_thread_and_its_end_is_told() -> None:
    threads: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        in_background(pool, lambda: threads.append(threading.get_ident())).result(10)
    assert threads != [threading.get_ident()] and len(threads) == 1


def test_work_is_done_here_where_no_thread_can_be_started_and_not_again_by_one_that_comes_late() -> None:
    pool, threads = NoThreads(), list[int]()
    assert in_background(pool, lambda: threads.append(threading.get_ident())).done()
    pool.queued[0]()
    assert threads == [threading.get_ident()]


@pytest.mark.parametrize("pool", [ThreadPoolExecutor(1), NoThreads()], ids=["thread", "no thread"])
def test_an_error_is_told_where_the_result_is_asked_for(pool: ThreadPoolExecutor) -> None:
    def fail() -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        in_background(pool, fail).result(10)
    pool.shutdown()
