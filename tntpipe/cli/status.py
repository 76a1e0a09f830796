"""The level ``status``: how a run stands, told from its journal alone, on any host that sees the output folder.

Exit status: 0 while it runs or once it is done, 1 as soon as a scan has failed, 75 when it is unfinished and nothing
goes on with it.
"""

from __future__ import annotations

import argparse
import json
import time

from tntpipe.cli.follow import follow, follow_as_json
from tntpipe.cli.replay import replay
from tntpipe.errors import ExitStatus, UsageError
from tntpipe.formatting import printable
from tntpipe.status.recorded_run import RecordedRun
from tntpipe.status.recorded_runs import newest_run, others_under_way, run_called
from tntpipe.status.status import status_lines, status_of


def show_status(options: argparse.Namespace) -> ExitStatus:
    """Say how the newest run stands, or the one that was named; follow or replay it first, if that was asked for."""
    _check(options)
    logs = options.output_dir.absolute() / "logs"
    run_dir = newest_run(logs) if options.run is None else run_called(logs, options.run)
    lowest = "DEBUG" if options.verbose else options.loglevel
    run = RecordedRun(run_dir, lowest)
    if options.follow and options.json:
        follow_as_json(run)
        return run.exit_status(run.sight())
    if options.follow:
        follow(run, dashboard=not options.no_dashboard, lowest=lowest)
    run.catch_up()
    if options.replay:
        replay(run_dir, run.state, speed=options.speed, dashboard=not options.no_dashboard, lowest=lowest)
    sight, now = run.sight(), time.time()
    status = status_of(run.state, sight, run_dir, now)
    if options.json:
        print(json.dumps(status, indent=2))
    else:
        for line in status_lines(status):
            print(printable(line))
        others = others_under_way(logs, run_dir, now)
        if others:
            print(f"also under way: {', '.join(others)} (--run shows one)")
    return run.exit_status(sight)


def _check(options: argparse.Namespace) -> None:
    if options.replay and (options.follow or options.json):
        raise UsageError(
            f"--replay and --{'follow' if options.follow else 'json'} exclude each other.", remedy="Give one of them."
        )
    if options.speed is not None and not options.replay:
        raise UsageError("--speed is for a replay.", remedy="Add --replay, or leave it out.")
