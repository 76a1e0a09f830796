"""Who belongs to a child, and what stays counted when it is gone: real daemons, and made-up process tables."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest
from process_table import Table, process
from watching import MB, program, watched

from tntpipe.processes import parent_death
from tntpipe.profiling import processes
from tntpipe.profiling.process_tree import Family
from tntpipe.profiling.processes import Reading, children_now

NATIVE = parent_death.command(sys.executable)
"""How the executor starts a program that may do anything."""


@pytest.mark.parametrize(("outlives", "after_s"), [(0.2, 0.6), (0.6, 0.2)], ids=["ends first", "outlives the child"])
def test_a_daemon_of_a_native_program_is_found_and_counted(outlives: float, after_s: float) -> None:
    """It forked twice and has a session of its own; the program does not know that it became its parent again."""
    seen = program("daemon", 0.4, 150, outlives, after_s, through=NATIVE)
    assert seen.known["cpu_s"] <= seen.usage.cpu_s + 0.05
    assert seen.usage.cpu_s <= seen.known["cpu_s"] + 0.1
    assert seen.usage.peak_bytes == pytest.approx(seen.known["peak_bytes"], rel=0.05)


def test_a_process_that_was_seen_stays_in_the_family_when_its_parent_ends() -> None:
    seen = watched("/bin/sh", "-c", "sh -c 'sleep 600 & sleep 0.4'; sleep 0.4; true")
    counts = [sample.n_processes for sample in seen.samples]
    before_it_ended = len(counts) - counts[::-1].index(4)
    assert 3 in counts[before_it_ended:], "the shell, its last sleep, and the orphan"


@pytest.mark.parametrize("kernel_tells", [True, False])
def test_the_same_processes_are_found_without_the_kernels_lists(
    kernel_tells: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert processes.kernel_lists_children(), "as on most kernels"
    monkeypatch.setattr(processes, "kernel_lists_children", lambda: kernel_tells)
    seen = watched("/bin/sh", "-c", "(sleep 0.5; true) & sleep 0.5; true")
    assert max(sample.n_processes for sample in seen.samples) == 4


def test_children_are_found_whichever_thread_started_them() -> None:
    script = "import subprocess, threading\nthread = threading.Thread(target=subprocess.run, args=(['sleep', '0.4'],))"
    seen = watched(sys.executable, "-S", "-c", f"{script}\nthread.start()\nthread.join()")
    assert max(sample.n_processes for sample in seen.samples) == 2


def test_a_process_that_is_not_there_has_no_family() -> None:
    with pytest.raises(ProcessLookupError):
        Family(2**22 + 1)


def test_files_read_and_written_by_a_grandchild_that_nobody_saw_are_counted() -> None:
    seen = program("copy", 20, 3, 0)
    assert seen.usage.written_bytes == pytest.approx(seen.known["written_bytes"], rel=0.01)
    assert seen.usage.read_bytes == pytest.approx(seen.known["read_bytes"], abs=5 * MB), "and its own start"


@contextmanager
def looked_at(monkeypatch: pytest.MonkeyPatch, *tables: Mapping[int, Reading]) -> Iterator[Family]:
    """The family of process 10, looked at once for each table."""
    table = Table()
    table.stands_in(monkeypatch)
    table.readings = dict(tables[0])
    found = Family(10)
    for readings in tables:
        table.readings = dict(readings)
        found.look(table.children_of, 0.0)
    yield found


def test_what_a_parent_waited_for_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {10: process(1, own=1), 11: process(10, own=2)}
    after = {10: process(1, own=1.5, waited=2.25)}
    with looked_at(monkeypatch, before, after) as found:
        assert found.totals.cpu_s == 3.75 and found.unwaited_cpu_s == 0


def test_what_nobody_waited_for_stays_counted_as_it_was_last_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {10: process(1, own=1), 11: process(10, own=2, read=7)}
    after = {10: process(1, own=1.5)}
    with looked_at(monkeypatch, before, after) as found:
        assert found.totals.cpu_s == 3.5 and found.unwaited_cpu_s == 2 and found.totals.read_bytes == 7


def test_an_orphan_is_counted_as_long_as_it_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {10: process(1, own=1), 11: process(10), 12: process(11, own=1)}
    orphan = {10: process(1, own=1), 12: process(1, own=4)}
    after = {10: process(1, own=1)}
    with looked_at(monkeypatch, before, orphan, after) as found:
        assert found.totals.cpu_s == 5 and found.unwaited_cpu_s == 4


def test_a_daemon_that_got_away_between_two_looks_is_missed_where_nobody_adopts_orphans(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {10: process(1, own=1)}
    got_away = {10: process(1, own=1), 12: process(1, own=4)}
    adopted = {10: process(1, own=1), 12: process(10, own=4)}
    with looked_at(monkeypatch, before, got_away) as found:
        assert found.totals.cpu_s == 1 and found.totals.n_processes == 1
    with looked_at(monkeypatch, before, adopted) as found:
        assert found.totals.cpu_s == 5 and found.totals.n_processes == 2


def test_a_grandchild_that_ends_with_its_parent_is_looked_for_in_its_grandparents_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {10: process(1), 11: process(10, own=1), 12: process(11, own=2)}
    after = {10: process(1, waited=3.5)}
    with looked_at(monkeypatch, before, after) as found:
        assert found.totals.cpu_s == 3.5 and found.unwaited_cpu_s == 0


def test_rounding_in_the_kernels_account_is_not_taken_for_a_lost_process(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {10: process(1), 11: process(10, own=1.019)}
    after = {10: process(1, waited=1.0)}
    with looked_at(monkeypatch, before, after) as found:
        assert found.unwaited_cpu_s == 0


def test_a_stranger_that_has_a_members_old_number_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {10: process(1), 11: process(10, own=2)}
    after = {10: process(1, waited=2), 11: process(1, own=500, started=2)}
    with looked_at(monkeypatch, before, after) as found:
        assert found.totals.cpu_s == 2 and found.totals.n_processes == 1


def test_a_new_child_that_has_a_members_old_number_is_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {10: process(1), 11: process(10, own=2)}
    after = {10: process(1, waited=2), 11: process(10, own=3, started=2)}
    with looked_at(monkeypatch, before, after) as found:
        assert found.totals.cpu_s == 5


def test_what_a_child_leaves_behind_is_added_to_what_wait4_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {10: process(1, own=1), 11: process(10, own=2)}
    ended = {10: replace(process(1, own=1), has_ended=True), 11: process(1, own=3)}
    with looked_at(monkeypatch, before, ended) as found:
        assert found.unwaited_cpu_s == 3


def test_a_process_that_gave_up_its_memory_has_ended_though_it_is_no_zombie_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The kernel frees the memory of an ending process first: its size of 0 then must not pass for a look at it."""
    running = {name: processes.read_proc(f"self/{name}") for name in ("stat", "status", "io")}
    ending = running | {"status": b"\n".join(x for x in running["status"].split(b"\n") if not x.startswith(b"Vm"))}
    for texts, has_ended in ((running, False), (ending, True)):
        monkeypatch.setattr(processes, "read_proc", lambda path, texts=texts: texts[path.rpartition("/")[2]])
        reading = processes.read_process(os.getpid())
        assert reading is not None and reading.has_ended == has_ended


def test_the_real_table_is_asked_for_a_process_by_its_number() -> None:
    before_s = time.process_time()
    me = processes.read_process(os.getpid())
    assert me is not None and me.parent == os.getppid() and me.sizes.rss_bytes > 5 * MB
    assert before_s < me.own_cpu_s < time.process_time(), "to the nanosecond, not in ticks"
    assert os.getpid() in children_now()(os.getppid())
