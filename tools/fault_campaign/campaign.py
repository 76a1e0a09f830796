"""The campaign: a run of real steps is killed at random moments and started again until it is done, then the next one.

What is asked of each run is in `Findings`; a campaign with no violations has kept every promise at every kill.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tntpipe.files import TEMPORARY
from tntpipe.processes.leftovers import processes_of
from tools.fault_campaign.comparison import differences
from tools.fault_campaign.watcher import Watcher

OPTIONS = ("--debug", "--subcortical", "--intracranial_volume", "--brain_extraction", "bet", "--no_dashboard")
BUDGET = ("--n_proc", "2", "--memory_gb", "8", "--ants_n_proc", "1")
ORPHAN_LIMIT_S = 2.0
FIRST_KILL_S = 0.05
STEPS_RUN_SHARE = 0.8
"""So large a part of the kills comes when steps run, the others also while the run is still being planned."""

KILLS_A_LIFE = 10
"""Then a folder is carried to its end undisturbed, to be compared, and the next one begun."""

FINISHED = (0,)
DISTURBED = (1, 69, -9)
"""A run that was disturbed may end so: a scan failed; the child that asks ANTs for its version was killed; killed."""

STUCK_S = 600.0

TARGETS = ("run", "child", "grandchild", "sentinel", "run and sentinel", "everything")
ENDS_RUN = ("run", "run and sentinel", "everything")


@dataclass
class Findings:
    """What a campaign has found; times in seconds."""

    kills: Counter[str] = field(default_factory=Counter)
    n_lives: int = 0
    n_starts: int = 0
    n_steps_started: int = 0
    n_steps_cut: int = 0
    """Started and not done by the same run: what the next one begins again."""

    n_files: int = 0
    orphans_s: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Campaign:
    """Runs over the dataset ``bids``, with the programs that ``environment`` names, below ``root``."""

    root: Path
    bids: Path
    environment: Mapping[str, str]
    most_wait_s: float
    """Kills come after a time between almost nothing and this."""

    def reference(self) -> Path:
        """The output of an undisturbed run."""
        out = self.root / "reference"
        ended = self.start(out, self.root / "reference.txt").wait(STUCK_S)
        if ended not in FINISHED:
            raise RuntimeError(f"the undisturbed run ended with status {ended}: see {self.root / 'reference.txt'}")
        return out

    def kill(self, n_kills: int, reference: Path, seed: int, targets: Sequence[str] = TARGETS) -> Findings:
        """Kill so many times, each target equally often, and finish the run that was killed last."""
        rng = random.Random(seed)
        order = [targets[number % len(targets)] for number in range(n_kills)]
        rng.shuffle(order)
        findings = Findings()
        while order:
            life = _Life(self, self.root / f"life{findings.n_lives}", findings, rng)
            life.live(order)
            findings.violations += [f"{life.out.name}: {what}" for what in differences(reference, life.out)]
            findings.n_lives += 1
            if not findings.violations:
                shutil.rmtree(life.out)
        return findings

    def start(self, out: Path, said: Path) -> subprocess.Popen[bytes]:
        words = [str(self.bids), str(out), "participant", *OPTIONS, *BUDGET]
        with said.open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "tntpipe", *words],
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )


class _Life:
    """One output folder, from its first run to the one that finishes it."""

    def __init__(self, campaign: Campaign, out: Path, findings: Findings, rng: random.Random) -> None:
        self._campaign, self.out, self._findings, self._rng = campaign, out, findings, rng
        self._n_kills = 0
        self._done: set[str] = set()
        self._read: set[Path] = set()
        out.mkdir()

    def live(self, order: list[str]) -> None:
        """Kill what is next in ``order`` until the folder is finished or nothing is left to kill."""
        watcher = Watcher(self.out)
        try:
            while not self._run_once(order):
                pass
        finally:
            watcher.close()
        self._findings.n_files += watcher.n_files
        self._findings.violations += [*watcher.violations, *self._left_over()]

    def _left_over(self) -> list[str]:
        """What killed runs have left that no run has swept."""
        temporary = [path for path in self.out.rglob("*") if TEMPORARY.fullmatch(path.name)]
        claims, scratch = self.out.glob("logs/running/*.json"), self.out.glob("work/scratch/*")
        return [f"{path} was left" for path in (*temporary, *claims, *scratch)]

    def _run_once(self, order: list[str]) -> bool:
        """Start a run and kill; whether it has finished the folder."""
        said = self._campaign.root / f"{self.out.name}.txt"
        process = self._campaign.start(self.out, said)
        self._findings.n_starts += 1
        n_kills = self._findings.kills.total()
        while order and self._n_kills < KILLS_A_LIFE and self._waited(process):
            target = order[-1]
            if self._kill(process, target):
                order.pop()
                self._n_kills += 1
                self._findings.kills[target] += 1
            if target in ENDS_RUN and process.poll() is not None:
                break
        status = process.wait(STUCK_S)
        self._account()
        if status in FINISHED:
            return True
        disturbed = self._findings.kills.total() > n_kills
        if status not in DISTURBED or not disturbed:
            self._findings.violations.append(f"{self.out.name}: a run ended with status {status}, see {said}")
        return not disturbed

    def _waited(self, process: subprocess.Popen[bytes]) -> bool:
        """Let a random time pass, mostly from its first step on; whether the run is still there to be killed."""
        if self._rng.random() < STEPS_RUN_SHARE:
            n_runs = len(self._read)
            while process.poll() is None and len(list(self.out.glob("logs/run-*/journal.jsonl"))) == n_runs:
                time.sleep(0.02)
        try:
            process.wait(self._rng.uniform(FIRST_KILL_S, self._campaign.most_wait_s))
        except subprocess.TimeoutExpired:
            return True
        return False

    def _kill(self, process: subprocess.Popen[bytes], target: str) -> bool:
        """Kill the target with SIGKILL; whether there was one."""
        if process.poll() is not None:
            return False
        run = psutil.Process(process.pid)
        everything = run.children(recursive=True)
        children = [child for child in everything if child.ppid() == run.pid]
        sentinels = [child for child in children if "tntpipe.processes.leftovers" in _words(child)]
        steps = [child for child in children if _owner_is_known(child)]
        grandchildren = [child for child in everything if child not in children]
        chosen = {
            "run": [run],
            "child": self._one_of(steps),
            "grandchild": self._one_of(grandchildren),
            "sentinel": sentinels,
            "run and sentinel": [run, *sentinels],
            "everything": [run, *everything],
        }[target]
        if not chosen:
            return False
        names = {path.name for path in (self.out / "work/scratch").glob("*")}
        if target == "everything":
            chosen = _frozen(run)
        for victim in chosen:
            _kill_if_there(victim)
        if target in ENDS_RUN:
            process.wait()
            if target != "run and sentinel":  # then the next run ends what the kernel does not
                self._wait_for_orphans(target, [*everything, *sentinels], names)
        elif target == "child":
            below = [child for step in chosen for child in grandchildren if step in _ancestors(child, everything)]
            self._wait_for_orphans(target, below, set())
        return True

    def _one_of(self, processes: Sequence[psutil.Process]) -> list[psutil.Process]:
        return [self._rng.choice(processes)] if processes else []

    def _wait_for_orphans(self, target: str, processes: Sequence[psutil.Process], runs: set[str]) -> None:
        """See that what was there before has ended, and what belongs to those runs too, within the limit."""
        began = time.monotonic()
        while True:
            left = [p.pid for p in processes if _is_alive(p)] + (list(processes_of(runs)) if runs else [])
            passed = time.monotonic() - began
            if not left:
                self._findings.orphans_s.append(passed)
                return
            if passed > ORPHAN_LIMIT_S:
                what = [_words(psutil.Process(pid)) for pid in left if psutil.pid_exists(pid)]
                self._findings.violations.append(
                    f"{self.out.name}: {target} killed, and {ORPHAN_LIMIT_S} s later: {what}"
                )
                return
            time.sleep(0.01)

    def _account(self) -> None:
        """Read the journal of the run that has ended: no step that was done before was started again."""
        for path in sorted(self.out.glob("logs/run-*/journal.jsonl")):
            if path in self._read:
                continue
            self._read.add(path)
            started, ended = _steps_of(path)
            again = started & self._done
            if again:
                self._findings.violations.append(f"{self.out.name}: done before, and started again: {sorted(again)}")
            self._findings.n_steps_started += len(started)
            self._findings.n_steps_cut += len(started - ended)
            self._done |= ended


def _steps_of(journal: Path) -> tuple[set[str], set[str]]:
    """Which steps were started, and which were done, in one run."""
    started, done = set(), set()
    for line in journal.read_bytes().splitlines():
        try:
            event = json.loads(line)
        except ValueError:  # the last line of a run that was killed
            continue
        if event["event"] == "StepStarted":
            started.add(event["name"])
        elif event["event"] == "StepEnded" and event["outcome"] == "done":
            done.add(event["name"])
    return started, done


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _owner_is_known(process: psutil.Process) -> bool:
    try:
        return "TNTPIPE_OWNER" in process.environ()
    except psutil.Error:
        return False


def _ancestors(process: psutil.Process, among: Sequence[psutil.Process]) -> list[psutil.Process]:
    try:
        return [parent for parent in process.parents() if parent in among]
    except psutil.Error:
        return []


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _frozen(run: psutil.Process) -> list[psutil.Process]:
    """The run and all below it, stopped, so that none can start another while they are killed."""
    frozen: dict[int, psutil.Process] = {}
    while True:
        new = [process for process in (run, *run.children(recursive=True)) if process.pid not in frozen]
        if not new:
            return list(frozen.values())
        for process in new:
            frozen[process.pid] = process
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()


def _kill_if_there(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
