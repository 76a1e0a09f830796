"""Crash files: what a person needs to understand a failed step, in one text."""

from __future__ import annotations

import shlex
from pathlib import Path

from tntpipe.events import StepEnded
from tntpipe.resources import format_gib
from tntpipe.step_logs import log_tail
from tntpipe.workfolder import LOG_NAME


def crash_text(event: StepEnded) -> str:
    """The content of the crash file of a failed step; one without a command failed before it was started."""
    folder = Path(event.folder)
    lines = [f"step     {event.name}", f"failed   {event.message}"]
    if event.argv:
        lines += [f"command  {shlex.join(event.argv)}", f"folder   {folder}"]
    if event.usage:
        lines.append(
            f"used     {event.usage['wall_s']:.1f} s, {event.usage['cpu_s']:.1f} CPU-seconds, "
            f"peak memory {format_gib(event.usage['peak_bytes'])}"
        )
    again = []
    if event.argv:
        lines += ["", f"Last lines of {folder / LOG_NAME}:", *(f"  {line}" for line in log_tail(folder / LOG_NAME))]
        again = [f"  * to see it fail again:  cd {shlex.quote(str(folder))} && {shlex.join(event.argv)}"]
    lines += [
        "",
        "What to do next:",
        *again,
        "  * the other scans are not affected; mend the cause and run the same tntpipe command again:",
        "    what is finished is kept, only this step and what follows it is run.",
        "",
    ]
    return "\n".join(lines)


def crash_name(event: StepEnded, when: str) -> str:
    """The crash file's name, which begins like the scan's."""
    return f"crash-{event.name.replace('/', '-')}-{when}.txt"
