"""Every script of ``benchmarks`` and ``tools`` still runs: each, in a child, with the words of its own ``SMOKE``."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120
NEEDS = {"tools.fuzz": "atheris"}
"""What a script cannot even begin without, beside what the tests need."""


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def is_script(tree: ast.Module) -> bool:
    """Whether a module does something when it is run: ``if __name__ == "__main__"``."""
    return any(isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) for node in tree.body)


def smoke_words(tree: ast.Module) -> tuple[str, ...] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SMOKE":
            return tuple(ast.literal_eval(node.value))
    return None


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")


SCRIPTS = {
    module_of(path): tree
    for folder in ("benchmarks", "tools")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if is_script(tree := tree_of(path))
}


def test_the_scripts_are_found():
    assert {"benchmarks.first_step", "tools.third_party", "tools.fault_campaign"} <= SCRIPTS.keys()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs_in_its_smoke_mode(name, tmp_path):
    words = smoke_words(SCRIPTS[name])
    assert words is not None, f"{name} has no SMOKE: the words that make it end within seconds (docs/benchmarks.md)"
    if name in NEEDS and not find_spec(NEEDS[name]):
        pytest.skip(f"{NEEDS[name]} is not installed")
    folder, place = tmp_path / "given", tmp_path / "cwd"
    folder.mkdir()
    place.mkdir()
    words = tuple(word.format(root=ROOT, folder=folder) for word in words)
    child = subprocess.run(
        [sys.executable, "-m", name, *words],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert child.returncode == 0, child.stdout
