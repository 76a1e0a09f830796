"""Edges from files, and everything that makes a graph impossible told at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tntpipe.errors import GraphError
from tntpipe.steps.graph import build_graph, dot
from tntpipe.steps.step import Export, Input, Place, Step


def step(kind: str, *reads: str, makes: tuple[str, ...] = ("out",), scan: str = "sub-01", export: str = "") -> Step:
    return Step(
        place=Place(folder=scan, scan=scan),
        kind=kind,
        program="true",
        arguments=(),
        inputs=tuple(Input(f"input{number}", source_of(name)) for number, name in enumerate(reads)),
        outputs=makes,
        exports=(Export(makes[0], export),) if export else (),
    )


def source_of(name: str) -> Path | str:
    return Path(name) if name.startswith("/") else name


def test_a_step_that_reads_what_another_makes_follows_it() -> None:
    graph = build_graph([step("b", "sub-01/a/out"), step("a", "/data/T1w.nii")], {"true"})
    assert list(graph.steps) == ["sub-01/a", "sub-01/b"]
    assert graph.follows == {"sub-01/a": (), "sub-01/b": ("sub-01/a",)}


def test_a_cycle_is_named() -> None:
    with pytest.raises(GraphError, match=r"cycle: sub-01/[ab] → sub-01/[ab] → sub-01/[ab]"):
        build_graph([step("a", "sub-01/b/out"), step("b", "sub-01/a/out")], {"true"})


def test_everything_that_is_wrong_is_in_one_message() -> None:
    steps = [
        step("a", "sub-01/nobody/out", export="sub-01_T1w.nii"),
        step("a"),
        step("b", export="sub-01_T1w.nii"),
    ]
    with pytest.raises(GraphError) as caught:
        build_graph(steps, set())
    message = str(caught.value)
    assert "sub-01/nobody/out, which no step makes" in message
    assert "two steps are called sub-01/a" in message
    assert "sub-01/a and sub-01/b would both write sub-01_T1w.nii" in message
    assert "no program 'true'" in message


def test_one_step_cannot_write_two_derivatives_of_one_name() -> None:
    twice = replace(step("a"), exports=(Export("out", "sub-01_T1w.nii"), Export("out", "sub-01_T1w.nii")))
    with pytest.raises(GraphError, match="would both write sub-01_T1w"):
        build_graph([twice], {"true"})


def test_an_output_that_a_step_does_not_make_cannot_be_asked_for() -> None:
    with pytest.raises(KeyError, match="makes no other"):
        step("a").product("other")


def test_dot_quotes_names_and_draws_each_edge() -> None:
    text = dot(build_graph([step("a"), step("b", "sub-01/a/out")], {"true"}))
    assert '"sub-01/a" -> "sub-01/b";' in text
    assert text.count("->") == 1 and text.startswith("digraph")
