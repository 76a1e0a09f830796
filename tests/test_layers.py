"""Who may import whom: decide, run and measure do not know each other, and each heavy package has one home."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.house_sizes import House, lines

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tntpipe"

BASE = {"decoding", "errors", "files", "formatting", "resources"}
"""What every part may import."""

MAY_IMPORT: dict[str, set[str]] = {
    **{part: set() for part in ("processes", "scheduler", "bids", "budget", "journal", "steps")},
    "imaging": {"processes"},
    "programs": {"processes"},
    "pipeline": {"steps", "bids"},
    "profiling": {"journal"},
    "dashboard": {"journal"},
    "store": {"steps", "processes"},
    "simulation": {"scheduler"},
    "planning": {"simulation", "scheduler"},
    "executors": {"scheduler", "profiling", "store", "steps", "processes", "journal"},
    "status": {"journal", "store", "profiling"},
    "report": {"journal", "planning", "scheduler", "store", "bids"},
    "study": {"bids", "store", "journal", "imaging"},
    "example": {"files"},
    "__init__": {"study"},
    "__main__": {"cli"},
}
MAY_IMPORT["run"] = set(MAY_IMPORT) - {"__main__", "__init__", "example"}
MAY_IMPORT["cli"] = {*MAY_IMPORT["run"], "run"}
"""For each part of the package, the parts that it may import, beside the base; itself too."""

ROOT_MODULES = {*BASE, "__init__", "__main__", "example"}
"""The only modules at the root of the package: everything else has a room."""

HOMES: dict[str, set[str]] = {
    "jinja2": {"report"},
    "msgspec": {"decoding"},
    "psutil": {"profiling"},
    "rich": {"dashboard", "run", "cli"},
    "nibabel": {"imaging"},
    "bids": {"bids"},
    "matplotlib": {"planning"},
    "pandas": {"study", "__init__"},
    "subprocess": {"executors", "processes", "programs", "run", "cli"},
}
"""The only parts that may import a package."""

HOUSE = House(ROOT)
TREES = {module.path: module.tree for module in HOUSE.modules.values()}
FILES = sorted(TREES)
part_of = HOUSE.part_of


def imported(path: Path) -> set[str]:
    """The dotted names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(TREES[path]):
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
    assert parts <= MAY_IMPORT.get(part, set()) | BASE | {part}


@pytest.mark.parametrize("package", HOMES)
def test_a_package_is_imported_only_at_home(package: str) -> None:
    users = {part_of(path) for path in FILES if package in {name.split(".")[0] for name in imported(path)}}
    assert users <= HOMES[package]


def test_every_part_has_a_line_in_the_table() -> None:
    assert {part_of(path) for path in FILES} == set(MAY_IMPORT) | BASE


def test_no_module_lies_loose_at_the_root() -> None:
    assert HOUSE.root_modules() == ROOT_MODULES


def test_no_parts_import_each_other_in_a_circle() -> None:
    """The base imports only itself, and every other part is above all that it may import."""
    for path in PACKAGE.glob("*.py"):
        if path.stem in BASE:
            assert {name.split(".")[1] for name in imported(path) if name.startswith("tntpipe.")} <= BASE
    above: dict[str, set[str]] = {}
    left = dict(MAY_IMPORT)
    while left:
        ready = [part for part, below in left.items() if below - BASE <= set(above)]
        assert ready, f"a circle among {sorted(left)}"
        for part in ready:
            above[part] = left.pop(part)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """At run time: what is imported for type checkers alone is no arrow."""
    assert HOUSE.circle() == ()


def test_the_sizes_of_a_house_are_those_of_its_files(tmp_path: Path) -> None:
    """A made-up one, with a circle, and an import for type checkers alone."""
    files = {
        "__init__": "",
        "loose": "def f(budget):\n    from tntpipe.room.one import g\n    return budget\n",
        "room/__init__": "",
        "room/one": "from tntpipe.room.two import h\ndef g():\n    return 1\n",
        "room/two": "from tntpipe.room.one import g\nBudget = 3\n",
        "other/three": "if TYPE_CHECKING:\n    from tntpipe.loose import f\nfrom tntpipe.room.two import Budget\n",
    }
    for name, text in files.items():
        path = tmp_path / f"tntpipe/{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    house = House(tmp_path)
    assert house.root_modules() == {"__init__", "loose"}
    assert house.arrows() == {("loose", "room"), ("other", "room")}
    assert house.circles() == [{"tntpipe.room.one", "tntpipe.room.two"}]
    assert set(house.circle()) == {"tntpipe.room.one", "tntpipe.room.two"}
    assert house.on_the_way(frozenset({"Budget"})) == ["tntpipe.room.two"], "an import alone is no use"
    told = list(lines(house))
    assert "modules               4, 11 lines, 3 in the median" in told
    assert "longest function      tntpipe.loose.f, 3 lines" in told


def test_the_tests_have_the_rooms_of_the_package() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    elsewhere = {"benchmarks", "cli", "faults", "support"}
    assert {path.name for path in (ROOT / "tests").iterdir() if any(path.glob("*.py"))} <= rooms | elsewhere


def test_no_program_goes_through_a_shell() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert "shell=True" not in text and "os.system" not in text and "os.popen" not in text, path
