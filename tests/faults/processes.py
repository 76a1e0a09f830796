"""Runs in a process of their own, to be killed; and what is still alive."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

import tntpipe

TESTS = Path(__file__).resolve().parents[1]
FOLDERS = [str(TESTS / "support"), str(TESTS / "faults"), str(Path(tntpipe.__file__).parents[1])]

RUN = """
import json, sys
sys.path[:0] = {folders}
from pathlib import Path
from small_runs import World, script
from tntpipe.journal.events import StepEnded
world = World(Path({root!r}))
world.run([script(*words, **options) for words, options in {steps!r}], cpus={cpus}, alone=True)
ended = [event for event in world.events if isinstance(event, StepEnded)]
print(json.dumps({{event.name: [event.outcome.value, event.message] for event in ended}}))
"""


Steps = list[tuple[tuple[str, ...], dict[str, str]]]
"""Arguments of `small_runs.script`."""


def start_run(root: Path, *steps: str) -> subprocess.Popen[bytes]:
    """Run the shell scripts ``steps`` as steps ``s/0``, ``s/1`` …, each of which makes ``out``, in a new process."""
    numbered: Steps = [((f"s/{number}", text), {}) for number, text in enumerate(steps)]
    text = RUN.format(folders=FOLDERS, root=str(root), steps=numbered, cpus=2)
    return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.DEVNULL)


def run_steps(root: Path, steps: Steps, *, cpus: int = 2, prefix: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Run steps to their end in a process that ``prefix`` starts; how each ended, and the message."""
    text = RUN.format(folders=FOLDERS, root=str(root), steps=steps, cpus=cpus)
    words = [*prefix, sys.executable, "-c", text]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    outcomes: dict[str, list[str]] = json.loads(ended.stdout)
    return outcomes


def until(claim: Callable[[], object], limit_s: float = 30.0) -> None:
    """Wait for the claim to be true."""
    deadline = time.monotonic() + limit_s
    while not claim():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def number_in(path: Path) -> int:
    """The process id that a script writes to the file."""
    until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def words_of(process: psutil.Process) -> list[str]:
    """The words that started a process; none of one that ended since it was listed."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def sentinel_of(run: subprocess.Popen[bytes]) -> psutil.Process:
    """The process that watches over a run."""
    found: list[psutil.Process] = []

    def is_there() -> bool:
        found[:] = [p for p in psutil.Process(run.pid).children() if "tntpipe.processes.leftovers" in words_of(p)]
        return bool(found)

    until(is_there)
    return found[0]
