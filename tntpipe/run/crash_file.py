"""Crash files: what a person needs to understand a failed step and to go on, in one text."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from tntpipe.formatting import format_gib
from tntpipe.journal.events import StepEnded
from tntpipe.run.crash_causes import Death, advice_on, cause_of
from tntpipe.store.step_logs import log_tail
from tntpipe.store.work_folder import LOG_NAME


def crash_text(event: StepEnded, run_log: Path | None = None, step_log: Path | None = None) -> str:
    """The content of the crash file of a failed step; one without a command failed before it was started."""
    folder = Path(event.folder)
    log = step_log if step_log is not None and step_log.exists() else folder / LOG_NAME
    tail = log_tail(log) if event.argv else []
    exit_code = event.usage.exit_code if event.usage else None
    death = Death(exit_code=exit_code, text="\n".join([event.message, *tail]), scan=event.scan)
    lines = [*_facts(event, folder, death, run_log)]
    if event.argv:
        lines += ["", f"Last lines of {log}:", *(f"  {line}" for line in tail)]
    lines += ["", "What to do next:", *_advice(event, folder, death), ""]
    return "\n".join(lines)


def _facts(event: StepEnded, folder: Path, death: Death, run_log: Path | None) -> Iterator[str]:
    yield f"step     {event.name}"
    yield f"failed   {event.message}"
    cause = cause_of(death)
    if cause is not None:
        yield f"cause    {cause.name}"
    if event.argv:
        yield f"command  {shlex.join(event.argv)}"
        yield f"folder   {folder}"
    if event.usage:
        used = event.usage
        peak = format_gib(used.peak_bytes)
        yield f"used     {used.wall_s:.1f} s, {used.cpu_s:.1f} CPU-seconds, peak memory {peak}"
    if cause is not None and cause.name == "a disk is full":
        yield from _room(folder)
    if run_log is not None:
        yield f"run      {run_log}"


def _room(folder: Path) -> Iterator[str]:
    """What is free where the step was; the nearest folder that is there tells."""
    for place in (folder, *folder.parents):
        try:
            yield f"free     {format_gib(shutil.disk_usage(place).free)} on the disk of {place}, when this was written"
        except OSError:
            continue
        return


def _advice(event: StepEnded, folder: Path, death: Death) -> Iterator[str]:
    for line in advice_on(death):
        yield f"    {line[2:]}" if line.startswith("  ") else f"  * {line}"
    if event.argv:
        yield f"  * to see it fail again:  cd {shlex.quote(str(folder))} && {shlex.join(event.argv)}"
    yield "  * the other scans are not affected; once the cause is mended, give the same tntpipe command again:"
    yield "    what is finished is kept, only this step and what follows it is run."


def crash_name(event: StepEnded, when: str) -> str:
    """The crash file's name, which begins like the scan's."""
    return f"crash-{event.name.replace('/', '-')}-{when}.txt"
