"""Who may import whom: decide, run and measure do not know each other, and each heavy package has one home."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tntpipe"

BASE = {"errors", "resources", "durations", "files", "lifeline", "orphans", "locks"}

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "resources": set(),
    "durations": set(),
    "files": set(),
    "lifeline": set(),
    "orphans": set(),
    "locks": set(),
    "wholeness": set(),
    "claims": {*BASE},
    "__init__": set(),
    "events": set(),
    "steps": {*BASE},
    "scheduler": {"errors", "resources", "durations"},
    "profiling": {"events", "journal", *BASE},
    "bids": {*BASE},
    "imaging": {*BASE},
    "ants": {"errors", "lifeline"},
    "example": {"files"},
    "budget": {*BASE},
    "programs": {"ants", *BASE},
    "model": {*BASE},
    "graph": {"steps", *BASE},
    "records": {"files"},
    "contents": {"files"},
    "workfolder": {"steps", "wholeness", "records", "contents", *BASE},
    "verification": {"derivatives", "records", *BASE},
    "derivatives": {"steps", "workfolder", *BASE},
    "pipeline": {"steps", "bids", "model", *BASE},
    "executors": {"scheduler", "profiling", "graph", "workfolder", "derivatives", "events", "steps", *BASE},
    "planning": {"scheduler", "executors", "resources", "files", "errors"},
    "appended": set(),
    "told": set(),
    "event_fields": set(),
    "journal": {"appended", "event_fields", "events", "files", "told", "errors"},
    "run_state": {"events", "lines"},
    "scan_tracker": {"events", "graph"},
    "readiness": {"events", "graph", "steps"},
    "dashboard": {"run_state", "events", "lines", "resources", "durations"},
    "lines": {"events", "resources", "durations"},
    "waiting": {"scheduler", "resources", "durations"},
    "crash": {"crash_causes", "events", "workfolder", "resources", "step_logs"},
    "crash_causes": set(),
    "step_logs": set(),
    "life": {"run_state", "durations", "errors"},
    "status": {"run_state", "events", "life", "lines", "step_logs", "resources", "durations"},
    "report": {
        *("__init__", "events", "journal", "step_logs", "workfolder", "scheduler", "planning", "bids"),
        *BASE,
    },
    "cli": {
        *("__init__", "steps", "scheduler", "profiling", "bids", "imaging", "budget", "programs", "model", "graph"),
        *("workfolder", "derivatives", "pipeline", "executors", "planning", "journal", "run_state", "scan_tracker"),
        *("readiness", "verification", "appended", "claims", "locks", "report"),
        *("dashboard", "lines", "waiting", "crash", "step_logs", "life", "status", "events", *BASE),
    },
    "__main__": {"cli"},
}
"""For each part of the package, the parts that it may import; itself goes without saying."""

HOMES: dict[str, set[str]] = {
    "jinja2": {"report"},
    "psutil": {"profiling"},
    "rich": {"dashboard", "cli"},
    "nibabel": {"imaging"},
    "bids": {"bids"},
    "matplotlib": {"planning"},
    "subprocess": {"executors", "ants", "cli"},
}
"""The only parts that may import a package."""

FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The top-level part that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The dotted names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= (
                {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "tntpipe" else {node.module}
            )
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_part_may(path: Path) -> None:
    part = part_of(path)
    parts = {name.split(".")[1] for name in imported(path) if name.startswith("tntpipe.")} - {"__version__"}
    assert parts <= MAY_IMPORT[part] | {part}


@pytest.mark.parametrize("package", HOMES)
def test_a_package_is_imported_only_at_home(package: str) -> None:
    users = {part_of(path) for path in FILES if package in {name.split(".")[0] for name in imported(path)}}
    assert users <= HOMES[package]


def test_every_part_has_a_line_in_the_table() -> None:
    assert {part_of(path) for path in FILES} == set(MAY_IMPORT)


def test_no_program_goes_through_a_shell() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert "shell=True" not in text and "os.system" not in text and "os.popen" not in text, path
