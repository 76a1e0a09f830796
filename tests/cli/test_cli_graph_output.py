"""The graph as a file: dot text always, a picture where Graphviz is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tntpipe.cli.dry_run import write_graph
from tntpipe.errors import OutputError, ProgramMissingError, UsageError
from tntpipe.steps.graph import Graph

GRAPH = Graph({}, {})


@pytest.fixture
def bin_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, with nothing in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def graphviz(bin_dir: Path, script: str) -> None:
    (bin_dir / "dot").write_text(f"#!/bin/sh\n{script}\n")
    (bin_dir / "dot").chmod(0o755)


def test_dot_needs_no_graphviz(tmp_path: Path, bin_dir: Path) -> None:
    write_graph(GRAPH, tmp_path / "g.dot")
    assert (tmp_path / "g.dot").read_text().startswith("digraph")


def test_a_picture_is_drawn_by_graphviz(tmp_path: Path, bin_dir: Path) -> None:
    graphviz(bin_dir, 'echo "$1" > "$3"')
    write_graph(GRAPH, tmp_path / "g.svg")
    assert (tmp_path / "g.svg").read_text() == "-Tsvg\n"


def test_without_graphviz_a_picture_is_status_69_and_dot_is_the_remedy(tmp_path: Path, bin_dir: Path) -> None:
    with pytest.raises(ProgramMissingError, match=r"g\.dot instead"):
        write_graph(GRAPH, tmp_path / "g.png")


def test_a_graphviz_that_fails_leaves_no_file(tmp_path: Path, bin_dir: Path) -> None:
    graphviz(bin_dir, "exit 3")
    with pytest.raises(OutputError, match="exit status 3"):
        write_graph(GRAPH, tmp_path / "g.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


@pytest.mark.parametrize("name", ["g.jpeg", "g"])
def test_an_ending_that_is_none_is_wrong_usage(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.dot, \.svg, \.png or \.pdf"):
        write_graph(GRAPH, tmp_path / name)


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"none/g\.dot cannot be written"):
        write_graph(GRAPH, tmp_path / "none/g.dot")
