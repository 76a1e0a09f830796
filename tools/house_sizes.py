"""How large the package is and how it hangs together: modules, lines, imports, and how far some values travel.

    python -m tools.house_sizes [CHECKOUT]

Nothing is imported or run: everything is read from the source, so that any two checkouts can be compared.

* A *part* is a folder of the package or a module at its root. An *arrow* is a pair of parts of which one imports from
  the other when it is imported or called; what is imported for type checkers alone is none. A *circle* is a group of
  modules that all reach each other by such imports.
* A *way* is counted as the modules that name what travels on it: as an identifier, an attribute, an argument or a
  string that is just the name. It is an upper estimate of what somebody reads who follows the value.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

SMOKE = ()

ROOT = Path(__file__).resolve().parents[1]

WAYS: Mapping[str, frozenset[str]] = {
    "a T1w to a volume": frozenset({"Scan", "Subject", "ScanSteps", "Step", "Graph", "Machine"}),
    "--memory_gb to admission": frozenset({"memory_gb", "find_budget", "Budget", "Holdings"}),
    "a child's peak to the resource file": frozenset({"peak_bytes", "Usage", "StepUse"}),
}
"""What carries each value on its way, by its names."""


@dataclass(frozen=True, slots=True)
class Module:
    """One file: its dotted name, its syntax tree and its number of lines."""

    name: str
    path: Path
    tree: ast.Module
    n_lines: int

    def names(self) -> set[str]:
        """Every word of its code that could name a value."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.arg | ast.keyword):
                found.add(node.arg or "")
            elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value.removeprefix("--"))
        return found

    def functions(self) -> Iterator[tuple[int, str]]:
        """The lines and the name of each function, its docstring included."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield (node.end_lineno or node.lineno) - node.lineno + 1, f"{self.name}.{node.name}"


class House:
    """The package in a checkout."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root, self.package = root, root / "tntpipe"

    @cached_property
    def modules(self) -> Mapping[str, Module]:
        """Every module by its dotted name."""
        modules = {}
        for path in sorted(self.package.rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            name = ".".join(path.relative_to(self.root).with_suffix("").parts).removesuffix(".__init__")
            modules[name] = Module(name, path, ast.parse(text), len(text.splitlines()))
        return modules

    def part_of(self, path: Path) -> str:
        """The top-level part that a file belongs to."""
        return path.relative_to(self.package).parts[0].removesuffix(".py")

    def root_modules(self) -> set[str]:
        """The modules that lie in no part's folder."""
        return {path.stem for path in self.package.glob("*.py")}

    @cached_property
    def imports(self) -> Mapping[str, frozenset[str]]:
        """For each module, those of the package that it imports when it is imported, or when something in it is
        called."""
        return {name: frozenset(self._run_time_imports(module)) for name, module in self.modules.items()}

    def _run_time_imports(self, module: Module) -> Iterator[str]:
        typing = {
            inner
            for node in ast.walk(module.tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module and node not in typing:
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                yield from (names & self.modules.keys() or {node.module} & self.modules.keys()) - {"tntpipe"}

    def circle(self) -> tuple[str, ...]:
        """Modules that import each other in turn; empty where none do."""
        return _circle(self.imports)

    def circles(self) -> list[set[str]]:
        """Every largest group of modules that all reach each other."""
        reach = {name: self._reached_from(name) for name in self.imports}
        groups: list[set[str]] = []
        for name in self.imports:
            group = {other for other in reach[name] if name in reach[other]}
            if group and group not in groups:
                groups.append(group)
        return groups

    def _reached_from(self, name: str) -> set[str]:
        reached: set[str] = set()
        left = [name]
        while left:
            new = self.imports[left.pop()] - reached
            reached |= new
            left += new
        return reached

    def arrows(self) -> set[tuple[str, str]]:
        """The pairs of parts of which the first imports from the second."""
        part = {name: self.part_of(module.path) for name, module in self.modules.items()}
        pairs = {(part[name], part[other]) for name, others in self.imports.items() for other in others}
        return {(above, below) for above, below in pairs if above != below}

    def on_the_way(self, names: frozenset[str]) -> list[str]:
        """The modules that name any of these."""
        return sorted(name for name, module in self.modules.items() if names & module.names())


def _circle(arrows: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def lines(house: House, *, named: bool = False) -> Iterator[str]:
    """The table, a line each; with ``named`` the modules of each way too."""
    modules = [module for module in house.modules.values() if module.n_lines]
    sizes = [module.n_lines for module in modules]
    longest = max(modules, key=lambda module: module.n_lines)
    function_lines, function = max(found for module in modules for found in module.functions())
    yield f"modules               {len(modules)}, {sum(sizes)} lines, {median(sizes):g} in the median"
    yield f"longest module        {longest.name}, {longest.n_lines} lines"
    yield f"longest function      {function}, {function_lines} lines"
    yield f"modules at the root   {len(house.root_modules())}"
    yield f"parts                 {len({house.part_of(module.path) for module in modules})}"
    yield f"arrows between parts  {len(house.arrows())}"
    circles = house.circles()
    yield f"circles of modules    {len(circles)}" + "".join(f"; {', '.join(sorted(circle))}" for circle in circles)
    for way, names in WAYS.items():
        found = house.on_the_way(names)
        parts = {house.part_of(house.modules[name].path) for name in found}
        yield f"{way}: named in {len(found)} modules of {len(parts)} parts"
        if named:
            yield from (f"    {name}" for name in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, nargs="?", default=ROOT)
    parser.add_argument("--named", action="store_true", help="name the modules of each way")
    options = parser.parse_args()
    print("\n".join(lines(House(options.checkout.resolve()), named=options.named)))


if __name__ == "__main__":
    main()
