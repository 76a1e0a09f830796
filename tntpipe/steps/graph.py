"""Edges from files: a step that reads what another step makes follows it.

Nothing here touches a disk or knows what a step is for. A graph that exists can be run: each file has one writer, each
input of another step's has a writer, every program is there, and there is no cycle. All that is wrong is told at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tntpipe.errors import GraphError
from tntpipe.steps.step import Step


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps in an order in which each comes after all that it follows."""

    steps: Mapping[str, Step]
    follows: Mapping[str, tuple[str, ...]]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps.values())

    def __len__(self) -> int:
        return len(self.steps)


def build_graph(steps: Iterable[Step], programs: Collection[str]) -> Graph:
    """The graph of ``steps``.

    Raises
    ------
    GraphError
        Everything that is wrong with them, in one message.
    """
    steps = tuple(steps)
    writers, problems = _writers(steps)
    problems += _duplicate_derivatives(steps)
    for missing in sorted({step.program for step in steps} - set(programs)):
        problems.append(f"no program {missing!r}")
    follows = {step.name: tuple(sorted(_followed(step, writers, problems))) for step in steps}
    try:
        order = list(TopologicalSorter(follows).static_order())
    except CycleError as error:
        problems.append("a cycle: " + " → ".join(error.args[1]))
    if problems:
        raise GraphError("The steps cannot be run: " + "; ".join(problems) + ".")
    by_name = {step.name: step for step in steps}
    return Graph({name: by_name[name] for name in order}, {name: follows[name] for name in order})


def _writers(steps: Iterable[Step]) -> tuple[dict[str, str], list[str]]:
    """Which step makes each work file, and the files and names that are taken twice."""
    writers: dict[str, str] = {}
    problems: list[str] = []
    names: set[str] = set()
    for step in steps:
        if step.name in names:
            problems.append(f"two steps are called {step.name}")
            continue
        names.add(step.name)
        for output in step.outputs:
            writers[step.product(output)] = step.name
    return writers, problems


def _duplicate_derivatives(steps: Iterable[Step]) -> list[str]:
    writers: dict[str, str] = {}
    problems = []
    for step in steps:
        for export in step.exports:
            if export.path in writers:
                problems.append(f"{writers[export.path]} and {step.name} would both write {export.path}")
            writers[export.path] = step.name
    return problems


def _followed(step: Step, writers: Mapping[str, str], problems: list[str]) -> set[str]:
    followed = set()
    for item in step.inputs:
        if isinstance(item.source, Path):
            continue
        writer = writers.get(item.source)
        if writer is None:
            problems.append(f"{step.name} reads {item.source}, which no step makes")
        else:
            followed.add(writer)
    return followed


def dot(graph: Graph) -> str:
    """The graph in Graphviz' language, one cluster a scan."""
    lines = ["digraph tntpipe {", "  rankdir=LR; node [shape=box, fontname=Helvetica];"]
    for number, scan in enumerate(dict.fromkeys(step.scan for step in graph)):
        lines.append(f"  subgraph cluster_{number} {{ label={_quoted(scan or 'once for all scans')};")
        lines += [f"    {_quoted(s.name)} [label={_quoted(s.kind)}];" for s in graph if s.scan == scan]
        lines.append("  }")
    lines += [f"  {_quoted(before)} -> {_quoted(name)};" for name in graph.steps for before in graph.follows[name]]
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
