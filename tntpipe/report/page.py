"""The report as one HTML file that needs nothing else: no network, no other file.

What a run brought along (names, messages, logs) is text and never markup: the template escapes it, the data of the
charts are JSON whose ``<`` is escaped, and the page forbids itself every connection.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from tntpipe import __version__
from tntpipe.formatting import duration, format_gib
from tntpipe.journal.history import Ending, History
from tntpipe.planning.rows import printable
from tntpipe.report.failures import Failures
from tntpipe.report.kinds import KindRow
from tntpipe.report.provenance import methods_of, provenance_of, settings_of
from tntpipe.report.scans import ScanRow
from tntpipe.report.summary import Summary

SCRIPTS = ("tables.js", "charts.js", "timeline.js", "load.js", "page.js")


def page_text(
    history: History,
    summary: Summary,
    kinds: list[KindRow],
    scans: list[ScanRow],
    failures: Failures,
    data: Mapping[str, Any],
    run_dir: Path,
) -> str:
    """The page, in HTML."""
    return _template().render(
        name=run_dir.name,
        run_dir=run_dir,
        version=__version__,
        history=history,
        began=_clock_time(history.began_t),
        summary=summary,
        kinds=kinds,
        scans=sorted(scans, key=lambda row: (not row.scan, -row.elapsed_s)),
        failures=failures,
        data=json_for_script(data),
        provenance=provenance_of(history.facts),
        settings=settings_of(history.facts),
        methods=methods_of(history.facts),
        warnings=[(now, text) for now, level, text in history.notices if level in ("WARNING", "ERROR")],
        Ending=Ending,
        style=_asset("assets/page.css"),
        library=_asset("vendor/echarts/echarts.min.js"),
        scripts="\n".join(_asset(f"assets/{name}") for name in SCRIPTS),
    )


def json_for_script(value: object) -> str:
    r"""JSON that can stand in a script element, whatever names it holds.

    >>> json_for_script("</script>")
    '"\\u003c/script>"'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return resources.files("tntpipe.report").joinpath(name).read_text(encoding="utf-8")


def _clock_time(t: float) -> str:
    """A time of the machine that makes the report, with its offset from UTC."""
    return datetime.fromtimestamp(t, tz=timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "duration": duration,
        "gib": format_gib,
        "percent": lambda share: f"{100 * share:.0f} %",
        "shown": printable,
        "shown_lines": lambda lines: "\n".join(map(printable, lines)),
    }
    return environment.from_string(_asset("assets/page.html.j2"))
