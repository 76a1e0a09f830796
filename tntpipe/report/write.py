"""Makes a run's report from its journal: ``report.html`` and ``trace.json`` in the run's folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tntpipe.files import write_text
from tntpipe.journal.history import History, history_of
from tntpipe.journal.reader import read_journal
from tntpipe.journal.writer import JOURNAL_NAME
from tntpipe.report.chart_data import MOST_COLOURED, chart_data
from tntpipe.report.curves import curves_of
from tntpipe.report.failures import Explain, failures_of, unexplained
from tntpipe.report.kinds import kind_rows
from tntpipe.report.page import page_text
from tntpipe.report.scans import scan_rows
from tntpipe.report.summary import summary_of
from tntpipe.report.trace import trace_of

PAGE_NAME = "report.html"
TRACE_NAME = "trace.json"


@dataclass(frozen=True, slots=True)
class Report:
    """Both files as texts."""

    page: str
    trace: str


def make_report(history: History, run_dir: Path, explain: Explain = unexplained) -> Report:
    """The report of a run whose folder, where the logs of its steps are, is ``run_dir``."""
    curves = curves_of(history)
    kinds, scans = kind_rows(history), scan_rows(history)
    data: dict[str, Any] = chart_data(history, scans, curves, [row.kind for row in kinds][:MOST_COLOURED])
    failures = failures_of(history, run_dir, explain)
    page = page_text(history, summary_of(history, curves), kinds, scans, failures, data, run_dir)
    return Report(page, json.dumps(trace_of(data, history.notices), separators=(",", ":")))


def write_report(run_dir: Path, explain: Explain = unexplained) -> Path:
    """Write both files; where the page is. ``explain`` knows what failures mean.

    Raises
    ------
    TableError
        The journal is none, or one of another version.
    OSError
        It cannot be read, or the files cannot be written.
    """
    report = make_report(history_of(read_journal(run_dir / JOURNAL_NAME)), run_dir, explain)
    write_text(run_dir / PAGE_NAME, report.page)
    write_text(run_dir / TRACE_NAME, report.trace)
    return run_dir / PAGE_NAME
