"""The world of real children: launches steps, sleeps until something happens, publishes what has ended.

One thread sleeps in ``select`` on the pidfds of all children and on a pipe that signals and finished publications write
to; nothing polls. Hashing and copying happen in a few worker threads, also of what an earlier run had computed, so that
a slow disk never holds up the next launch, a signal or the screen.
What the children are for, and what should start next, is not known here.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tntpipe.errors import STOP_SIGNALS, OutputError, told
from tntpipe.executors.background import in_background
from tntpipe.executors.children import exit_in_words, reap, send, start
from tntpipe.executors.memory.guard import MemoryDeath, MemoryGuard
from tntpipe.executors.running import Running
from tntpipe.executors.sentinel import Sentinel
from tntpipe.executors.signals import Signals, sleep_until_continued
from tntpipe.formatting import counted
from tntpipe.journal.events import Notice, Outcome, RunEvent, StepEnded, StepRetried, StepSampled, StepStarted
from tntpipe.journal.usage import Usage
from tntpipe.processes.leftovers import end_processes
from tntpipe.profiling.monitor import Monitor
from tntpipe.profiling.sample import Sample
from tntpipe.scheduler.messages import Ended, Event, Interrupted, Launch, Requeued, Stop, Used
from tntpipe.steps.graph import Graph
from tntpipe.steps.step import Step
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.work_folder import LOG_NAME, WorkFolder, last_log_lines

SENTINEL_LIVES_S = 5.0
MOST_SENTINELS_LOST = 3
"""After so many sentinels in a row that ended within that time, there is none."""

NO_SENTINEL = (
    "the process that cleans up after a killed run ends as soon as it is started, so there is none: should this run be "
    "killed, what its steps have started themselves may go on; look for processes with TNTPIPE_RUN in their environment"
)

GRACE_S = 5.0
"""How long a child that was asked to stop may take before it is killed."""

PATIENCE_S = 20.0
"""How long a run that is to stop waits for what is being hashed and copied: less than the 30 s that Slurm allows."""

HURRY_S = 2.0
"""The same when it is told for the second time."""

DOUBT_S = 2.0
"""A child that ended by a signal of those that stop runs, and that nobody here sent, may have got it with the run: for
so long the run's own is waited for, before the step counts as failed."""

N_PUBLISHERS = 4


@dataclass(frozen=True, slots=True)
class _Publication:
    """Results on their way to the output: of a child that has ended, or (``ran`` is None) of a step computed before."""

    step: Step
    ran: Running | None
    usage: Usage | None
    done: Future[None]


class Machine:
    """Runs the steps of ``graph`` on this machine; every event of the run goes to ``emit``."""

    def __init__(
        self,
        graph: Graph,
        work: WorkFolder,
        derivatives: Derivatives,
        commands: Mapping[str, tuple[str, ...]],
        emit: Callable[[RunEvent], None],
        mem_bytes: int,
        *,
        tick: Callable[[], None] | None = None,
        tick_s: float = 0.25,
        asked: Callable[[], None] = lambda: None,
        paused: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
        gone: Callable[[], None] = lambda: None,
        log_begun: Callable[[str, Path], None] = lambda step_name, log: None,
    ) -> None:
        self._graph, self._work, self._derivatives = graph, work, derivatives
        self._commands, self._emit = commands, emit
        self._tick, self._tick_s = tick, tick_s
        self._asked, self._paused, self._log_begun = asked, paused, log_begun
        self._monitor = Monitor(self.now)
        self._running: dict[int, Running] = {}
        self._pids: dict[str, int] = {}
        self._happened: deque[Event] = deque()
        self._memory = MemoryGuard(mem_bytes, self._monitor, self._happened.append, emit)
        self._publications: deque[_Publication] = deque()
        self._selector = selectors.DefaultSelector()
        self._publishers = ThreadPoolExecutor(N_PUBLISHERS, thread_name_prefix="publish")
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._sentinel: Sentinel | None = None
        self._sentinel_since, self._n_sentinels_lost = 0.0, 0
        self._signals = Signals(self._wake, gone)
        self._give_up_at: float | None = None
        self._doubted: deque[tuple[float, Running, Usage]] = deque()
        self._paused_s = 0.0
        self._is_closed = False

    @property
    def stop_signal(self) -> int | None:
        """The signal that stopped the run, if one did."""
        return self._signals.first_stop

    def now(self) -> float:
        """Seconds on a clock that never jumps, and that stands still while the run is paused."""
        return time.monotonic() - self._paused_s

    def launch(self, action: Launch) -> None:
        """Start a step, unless what it would make turns out to be there already."""
        step = self._graph.steps[action.name]
        if self._work.is_done(step) or self._restored(step):
            self._in_background(step, lambda: self._derivatives.publish_again(step))
            return
        self._work.forget(step.name)
        argv = step.argv(self._commands)
        try:
            scratch = self._work.prepare(step)
        except (OutputError, OSError) as error:
            self._end(step, Outcome.FAILED, None, message=f"it cannot be prepared: {_words_of(error)}", argv=argv)
            return
        try:
            self._post_sentinel()
            threads = action.request.cpus if step.moldable else 1  # more would change the result
            child = start(argv, scratch, scratch / LOG_NAME, threads, self._owner(scratch))
        except OSError as error:
            self._fail(step, scratch, argv, None, f"could not be started: {_words_of(error)}")
            return
        self._log_begun(step.name, scratch / LOG_NAME)
        self._monitor.watch(child.pid, self.now())
        self._running[child.fd] = Running(
            step=step,
            child=child,
            scratch=scratch,
            argv=argv,
            launch=action,
            since=self.now(),
            told_bytes=action.request.mem_bytes,
        )
        self._pids[step.name] = child.fd
        self._selector.register(child.fd, selectors.EVENT_READ)
        self._emit(
            StepStarted(
                name=step.name,
                scan=step.scan,
                kind=step.kind,
                cpus=action.request.cpus,
                mem_bytes=action.request.mem_bytes,
                pid=child.pid,
            )
        )

    def stop(self, action: Stop) -> None:
        """Ask a running step to end, and kill it when it takes too long."""
        fd = self._pids.get(action.name)
        if fd is not None:
            running = self._running[fd]
            send(running.child, signal.SIGTERM)
            running.stopping = True
            running.kill_at = self.now() + GRACE_S

    def wait(self, *, block: bool = True) -> Sequence[Event]:
        """Return what happened: steps that ended, or that the run is to stop; sleeps until then, unless told not to."""
        while not self._happened:
            ready = self._selector.select(self._sleep_s() if block else 0)
            for key, _ in ready:
                if key.fd == self._wake_read:
                    self._woken()
                elif self._sentinel is not None and key.fd == self._sentinel.fd:
                    self._replace_sentinel()
                else:
                    self._child_ended(key.fd)
            self._look()
            if not block:
                break
        return tuple(self._happened.popleft() for _ in range(len(self._happened)))  # a signal may add one meanwhile

    def interrupt(self) -> None:
        """End the run in good order: children are stopped, nothing more is started."""
        self._happened.append(Interrupted())
        self._wake()

    def signals(self) -> contextlib.AbstractContextManager[None]:
        """While it lasts, signals stop and pause the run, and ask it how things stand."""
        return self._signals.heeded()

    def close(self) -> None:
        """Leave no child and no thread behind."""
        for running in self._running.values():
            send(running.child, signal.SIGKILL)
        for running in list(self._running.values()):
            reap(running.child)
            self._work.discard(running.scratch)
        self._running.clear()
        if self._sentinel is not None:
            end_processes([self._work.run])
            self._dismiss_sentinel()
        self._publishers.shutdown(wait=not self._has_given_up, cancel_futures=True)
        self._is_closed = True
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    @property
    def _has_given_up(self) -> bool:
        return self._give_up_at is not None and self._give_up_at <= self.now()

    def _heed_signals(self) -> None:
        for nth in self._signals.new_stops():
            self._give_up_at = self.now() + (PATIENCE_S if nth == 1 else HURRY_S)
            if nth == 1:
                self._happened.append(Interrupted())
            else:
                for running in self._running.values():
                    send(running.child, signal.SIGKILL)
        if self._signals.came(signal.SIGTSTP):
            self._pause()
        if self._signals.came(signal.SIGUSR1):
            self._asked()

    def _pause(self) -> None:
        """Stop the children and this process until somebody continues it; for the run no time passes."""
        self._emit(Notice(text="paused; SIGCONT (fg, in a shell) lets the run go on"))
        for running in self._running.values():
            send(running.child, signal.SIGSTOP)
        with self._paused():
            paused_s = sleep_until_continued()
        self._paused_s += paused_s
        for running in self._running.values():
            send(running.child, signal.SIGCONT)
        self._emit(Notice(text=f"goes on, after a pause of {paused_s:.0f} s"))

    def _owner(self, scratch: Path) -> str:
        return f"{self._work.run}/{scratch.name}"

    def _post_sentinel(self) -> None:
        if self._sentinel is None and self._n_sentinels_lost < MOST_SENTINELS_LOST:
            self._sentinel, self._sentinel_since = Sentinel(self._work.run), time.monotonic()
            self._selector.register(self._sentinel.fd, selectors.EVENT_READ)

    def _replace_sentinel(self) -> None:
        """Somebody has killed it, or it cannot live here; where there cannot be another now, the next launch tries."""
        lived_s = time.monotonic() - self._sentinel_since
        self._n_sentinels_lost = self._n_sentinels_lost + 1 if lived_s < SENTINEL_LIVES_S else 0
        self._dismiss_sentinel()
        if self._n_sentinels_lost == MOST_SENTINELS_LOST:
            self._emit(Notice(text=NO_SENTINEL, level="WARNING"))
        with contextlib.suppress(OSError):
            self._post_sentinel()

    def _dismiss_sentinel(self) -> None:
        if self._sentinel is not None:
            self._selector.unregister(self._sentinel.fd)
            self._sentinel.close()
            self._sentinel = None

    def _wake(self) -> None:
        if not self._is_closed:
            with contextlib.suppress(BlockingIOError):
                os.write(self._wake_write, b"!")

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        for _ in range(len(self._publications)):
            publication = self._publications.popleft()
            if publication.done.done():
                self._published(publication)
            else:
                self._publications.append(publication)

    def _sleep_s(self) -> float | None:
        """Until the next look at a child, the next kill, or the next tick of the display."""
        now = self.now()
        due = [running.kill_at for running in self._running.values() if running.kill_at is not None]
        look = self._monitor.next_look()
        if look is not None:
            due.append(look)
        if self._doubted:
            due.append(now if self.stop_signal is not None else self._doubted[0][0])
        if self._give_up_at is not None and self._publications:
            due.append(self._give_up_at)
        if self._tick is not None:
            due.append(now + self._tick_s)
        return max(0.0, min(due) - now) if due else None

    def _look(self) -> None:
        now = self.now()
        by_pid = {running.child.pid: running for running in self._running.values()}
        for pid, sample in self._monitor.look(now).items():
            self._emit(_sampled(by_pid[pid].step.name, sample))
        self._memory.watch(by_pid, now)
        for running in self._running.values():
            if running.kill_at is not None and running.kill_at <= now:
                send(running.child, signal.SIGKILL)
                running.kill_at = None
        self._heed_signals()
        is_told = self.stop_signal is not None and Interrupted() not in self._happened  # the scheduler, before the ends
        while self._doubted and (is_told or self._doubted[0][0] <= now):
            self._ended_without_success(*self._doubted.popleft()[1:])
        while self._has_given_up and self._publications:
            given_up = self._publications.popleft()
            self._end(given_up.step, Outcome.STOPPED, given_up.usage)
        if self._tick is not None:
            self._tick()

    def _child_ended(self, fd: int) -> None:
        self._selector.unregister(fd)
        running = self._running.pop(fd)
        del self._pids[running.step.name]
        self._monitor.last_look(running.child.pid, self.now())
        status, account = reap(running.child)
        usage = self._monitor.ended(running.child.pid, self.now(), status, account)
        if usage.exit_code < 0:  # it was killed, and could not end what it had started
            end_processes([self._owner(running.scratch)])
        if usage.exit_code == 0:
            self._in_background(running.step, lambda: self._publish(running, usage), running, usage)
        elif -usage.exit_code in STOP_SIGNALS and not running.stopping:
            self._doubted.append((self.now() + DOUBT_S, running, usage))
        else:
            self._ended_without_success(running, usage)

    def _ended_without_success(self, running: Running, usage: Usage) -> None:
        if running.stopping or self.stop_signal is not None:
            self._work.discard(running.scratch)
            self._end(running.step, Outcome.STOPPED, usage, argv=running.argv)
        else:
            lines = last_log_lines(running.scratch)
            death = self._memory.death_of(running, usage, lines, self.now())
            if death is not None and death.mem_bytes is not None:
                self._run_again(running, usage, death, death.mem_bytes)
                return
            message = exit_in_words(usage.exit_code) if death is None else death.message
            said = f": {lines[0]}" if lines and death is None and usage.exit_code > 0 else ""
            self._fail(running.step, running.scratch, running.argv, usage, message + said + self._trouble())

    def _run_again(self, running: Running, usage: Usage, death: MemoryDeath, mem_bytes: int) -> None:
        step = running.step
        self._work.discard(running.scratch)
        self._emit(
            StepRetried(
                name=step.name,
                scan=step.scan,
                kind=step.kind,
                cause=death.cause,
                n_tries=death.n_tries,
                mem_bytes=mem_bytes,
                usage=usage.rounded(),
                message=death.message,
            )
        )
        self._happened.append(Requeued(name=step.name, mem_bytes=mem_bytes))

    def _in_background(
        self, step: Step, work: Callable[[], None], ran: Running | None = None, usage: Usage | None = None
    ) -> None:
        done = in_background(self._publishers, work)
        self._publications.append(_Publication(step, ran, usage, done))
        done.add_done_callback(lambda _: self._wake())

    def _publish(self, running: Running, usage: Usage) -> None:
        used = asdict(usage) | {
            "cpus": running.launch.request.cpus,
            "request_bytes": running.launch.request.mem_bytes,
        }
        self._work.publish(running.step, running.scratch, running.argv, used)
        self._derivatives.withdraw(running.step.place.folder)
        self._derivatives.publish(running.step)

    def _published(self, publication: _Publication) -> None:
        step, ran, usage = publication.step, publication.ran, publication.usage
        error = publication.done.exception()
        self._tell_withdrawals()
        if error is None:
            self._warn(step)
            if ran is None:
                self._end(step, Outcome.REUSED, None)
            else:
                folder = str(self._work.folder(step.name))
                self._end(step, Outcome.DONE, usage, folder=folder, cpus=ran.launch.request.cpus)
        elif not isinstance(error, (OutputError, OSError)):
            raise error
        elif ran is None:
            self._end(step, Outcome.FAILED, None, message=_words_of(error))
        else:
            self._fail(step, ran.scratch, ran.argv, usage, _words_of(error))

    def _restored(self, step: Step) -> bool:
        try:
            return self._work.restore(step)
        except (OutputError, OSError):  # what is wrong is told when it is prepared
            return False

    def _tell_withdrawals(self) -> None:
        while self._derivatives.withdrawals:
            moved = self._derivatives.withdrawals.popleft()
            n_files = counted(len(moved.paths), "file")
            text = f"{moved.scan}: {n_files} of another method moved from the output to {moved.folder}"
            self._emit(Notice(text=text, scan=moved.scan))
            for name in moved.paths:
                self._emit(Notice(text=f"  moved there: {name}", level="DEBUG", scan=moved.scan))

    def _warn(self, step: Step) -> None:
        """Tell what a finished step warns of."""
        record = self._work.record(step.name)
        for text in record.warnings if record else ():
            self._emit(Notice(text=f"{step.name}: {text}", level="WARNING", scan=step.scan))

    def _trouble(self) -> str:
        trouble = self._work.trouble()
        return f". {trouble}" if trouble else ""

    def _fail(self, step: Step, scratch: Path, argv: tuple[str, ...], usage: Usage | None, message: str) -> None:
        try:
            kept = self._work.keep_failed(step, scratch) if scratch.exists() else self._work.folder(step.name)
        except OSError:  # a full disk may be why it failed
            kept = scratch
        self._end(step, Outcome.FAILED, usage, message=message, argv=argv, folder=str(kept))

    def _end(
        self,
        step: Step,
        outcome: Outcome,
        usage: Usage | None,
        *,
        message: str = "",
        argv: tuple[str, ...] = (),
        folder: str = "",
        cpus: int = 1,
    ) -> None:
        self._emit(
            StepEnded(
                name=step.name,
                scan=step.scan,
                kind=step.kind,
                outcome=outcome,
                usage=usage and usage.rounded(),
                message=message,
                argv=argv if outcome is Outcome.FAILED else (),
                folder=folder,
            )
        )
        used = None if usage is None else Used(wall_s=usage.wall_s, cpus=cpus, peak_bytes=usage.peak_bytes)
        self._happened.append(Ended(name=step.name, succeeded=outcome in (Outcome.DONE, Outcome.REUSED), used=used))


def _words_of(error: OutputError | OSError) -> str:
    return str(error) if isinstance(error, OutputError) else ". ".join(told(error))


def _sampled(name: str, sample: Sample) -> StepSampled:
    return StepSampled(
        name=name,
        age_s=round(sample.age_s, 3),
        cpu_s=round(sample.cpu_s, 3),
        cpus=round(sample.cpus, 3),
        rss_bytes=sample.rss_bytes,
        vms_bytes=sample.vms_bytes,
    )
