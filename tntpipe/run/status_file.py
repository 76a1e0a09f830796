"""``logs/status.json``: how a run stands, for whoever looks at the folder while it goes on and after it has ended."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from tntpipe.journal.run_state import RunState
from tntpipe.status.liveness import sight_of
from tntpipe.status.status import status_of

STATUS_NAME = "status.json"


class StatusFile:
    """The file at ``path`` about the run whose folder is ``run_dir``.

    It appears whole, but is not forced to the disk as results are: on a busy one that takes seconds, for which no step
    should wait. That it cannot be written costs nobody anything; the journal says when the disk is full.
    """

    def __init__(self, path: Path, run_dir: Path) -> None:
        self._path, self._run_dir = path, run_dir

    def write(self, state: RunState, t: float) -> None:
        """Write how the run stands at ``t``, where the run itself is the one who writes."""
        here = str(state.facts.host.get("name", "")) if state.facts else ""
        sight = sight_of(state, host=here, process_began=lambda _pid: state.started, last_word=t, now=t)
        text = json.dumps(status_of(state, sight, self._run_dir, t), indent=2)
        temporary = self._path.with_name(f".{self._path.name}.{self._run_dir.name}.tmp")
        with contextlib.suppress(OSError):
            temporary.write_text(f"{text}\n", encoding="utf-8")
            temporary.replace(self._path)
