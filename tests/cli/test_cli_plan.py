"""``--plan`` as a user types it: figures, a text picture, a table, a file; and nothing in OUTPUT_DIR."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_runs import EXAMPLE, Run, run

from tntpipe.cli.config import options_of
from tntpipe.cli.settings import Asked, settings_of
from tntpipe.errors import UsageError


def settle(*words: str) -> Asked:
    return settings_of(options_of(["bids", "out", "participant", *words]))


def test_a_plan_prints_its_figures_and_writes_nothing(tmp_path: Path) -> None:
    said = run(EXAMPLE, tmp_path / "out", "--plan", "--n_proc", "64", "--memory_gb", "999")
    assert said.status == 0
    assert re.search(r"^steps        \d+ to run for 2 scans, 0 done already$", said.said, re.M)
    assert re.search(r"^budget       64 CPUs, 999\.0 GiB ", said.said, re.M)
    assert re.search(r"^makespan     \d:\d\d:\d\d ", said.said, re.M)
    for label in ("lower bound", "memory", "CPUs", "CPU time", "scans done"):
        assert re.search(rf"^{label} +\S", said.said, re.M), label
    assert "█ nonlinear registration" in said.said
    assert "warning" not in said.said and "\x1b" not in said.said
    assert max(map(len, said.said.splitlines())) <= 80
    assert not any(tmp_path.iterdir())


def test_budgets_are_compared_and_the_first_that_is_large_enough_is_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "plan.svg"
    said = run(EXAMPLE, tmp_path / "out", "--n_proc", "8,4", "--memory_gb", "0.2,16", "--plan_picture", picture)
    rows = [line.split() for line in said.said.splitlines()]
    assert said.status == 0
    assert [row[:3] for row in rows if row[2:3] == ["GiB"]] == [["8", "0.20", "GiB"], ["4", "16.0", "GiB"]]
    assert "too small: " in said.said
    assert f"picture of the run on 4 CPUs, 16.0 GiB: {picture}" in said.said
    assert [path.name for path in tmp_path.iterdir()] == ["plan.svg"]


def test_a_budget_that_is_too_small_is_refused(tmp_path: Path) -> None:
    said = run(EXAMPLE, tmp_path / "out", "--plan", "--memory_gb", "0.1")
    assert said.status == 64 and "more than the whole budget" in said.said


def test_steps_that_are_done_do_not_count_and_stay_as_they_are(finished: Run, bids: Path) -> None:
    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in finished.out.rglob("*")}

    before = files()
    options = ("--subcortical", "--intracranial_volume", "--debug")
    said = run(bids, finished.out, *options, "--plan")
    assert re.search(r"^steps        0 to run for 0 scans, [1-9]\d+ done already$", said.said, re.M)
    assert files() == before
    said = run(bids, finished.out, *options, "--plan", "--clean_workdir", "--n_proc", "2", "--memory_gb", "8")
    assert re.search(r"^steps        [1-9]\d+ to run for 2 scans, 0 done already$", said.said, re.M)
    assert files() == before


@pytest.mark.parametrize(
    ("words", "pairs"),
    [
        ("--n_proc 8,16 --memory_gb 16,64", ((8, 16), (16, 64))),
        ("--n_proc 8,16 --memory_gb 32", ((8, 32), (16, 32))),
        ("--nprocs 8 --mem-gb 0.5,1", ((8, 0.5), (8, 1))),
        ("--n_proc 8,16", ((8, None), (16, None))),
        ("--n_proc 8,16 --mem 32G", ((8, 32), (16, 32))),
        ("", ((None, None),)),
    ],
)
def test_lists_make_pairs_and_one_value_goes_with_each(words: str, pairs: tuple[tuple[object, ...], ...]) -> None:
    assert settle("--plan", *words.split()).planned_budgets == pairs


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--n_proc 8,16", "Add --plan"),
        ("--memory_gb 8,16 --dry_run", "Add --plan"),
        ("--plan --n_proc 8,16 --memory_gb 1,2,3", "--n_proc has 2 values, --memory_gb 3"),
        ("--plan --n_proc 8,", "is not a whole number"),
        ("--plan --n_proc 8,0", "0 is not a whole number"),
        ("--plan --memory_gb 8,x", "x is not a number"),
        ("--plan --graph_output g.dot", "exclude each other"),
        ("--plan_picture plan.gif", r"\.png, \.svg or \.pdf"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        settle(*words.split())


def test_a_picture_is_asked_for_with_a_plan() -> None:
    assert settle("--plan_picture", "plan.png").plan
    assert not settle().plan and not settle("--dry_run").plan
