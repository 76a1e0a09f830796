"""A step that runs, with all that an executor keeps of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tntpipe.executors.children import Child
from tntpipe.scheduler.messages import Launch
from tntpipe.steps.step import Step


@dataclass(slots=True, kw_only=True)
class Running:
    """``told_bytes`` is how much memory the scheduler thinks that it holds; ``kill_at`` is on the executor's clock."""

    step: Step
    child: Child
    scratch: Path
    argv: tuple[str, ...]
    launch: Launch
    since: float
    told_bytes: int
    stopping: bool = False
    stopped_for_memory: bool = False
    kill_at: float | None = None
