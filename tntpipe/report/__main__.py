"""``python -m tntpipe.report RUN_DIR``: the report of one run, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from tntpipe.report.write import write_report

if __name__ == "__main__":
    write_report(Path(sys.argv[1]))
