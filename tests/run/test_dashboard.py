"""The screen, rendered to text at fixed sizes."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tntpipe.dashboard import render
from tntpipe.events import (
    Notice,
    Outcome,
    RunStarted,
    ScanEnded,
    ScanOutcome,
    StepEnded,
    StepSampled,
    StepStarted,
    StepsWaiting,
)
from tntpipe.resources import GIB
from tntpipe.run_state import RunState

NAME = "sub-{:03}_ses-[bold]x[/]"


def busy(n_scans: int, *, name: str = NAME, n_running: int = 16, n_failed: int = 3) -> RunState:
    """A run in full swing: some scans running, some failed with a long reason, the rest waiting."""
    state = RunState()
    scans = [name.format(number) for number in range(n_scans)]
    state.apply(
        0,
        RunStarted(
            command=(),
            version="1",
            ants="ANTs 2.5.1.post95-g2236a75 in antspyx 0.6.3 (wheel: /very/long/path/to/site-packages/ants)",
            host={},
            pid=1,
            cpus=16,
            mem_bytes=64 * GIB,
            budget="",
            scans=dict.fromkeys(scans, 25),
            reused={},
            settings={},
            folders={},
        ),
    )
    for scan in scans[:n_failed]:
        reason = "bias_correction failed: killed by SIGSEGV [signal 11]\nand more " * 3
        state.apply(1, ScanEnded(scan=scan, outcome=ScanOutcome.FAILED, message=reason))
    for scan in scans[-n_running:]:
        step = f"{scan}/subcortical_nonlinear_registration"
        state.apply(2, StepStarted(name=step, scan=scan, kind="subcortical", cpus=1, mem_bytes=3 * GIB, pid=1))
        state.apply(3, StepSampled(name=step, age_s=1, cpu_s=1, cpus=1, rss_bytes=2 * GIB, vms_bytes=0))
    state.apply(4, StepsWaiting(steps={f"{scan}/waits": "waits for 2 more CPUs " * 9 for scan in scans[:5]}))
    state.apply(4, Notice(text="a notice " * 40))
    ended = StepEnded(name=f"{scans[0]}/x", scan=scans[0], kind="x", outcome=Outcome.FAILED, usage={}, message="no\nno")
    state.apply(5, ended)
    return state


def drawn(state: RunState, width: int, height: int = 24) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(render(state, 3700.0, height=height))
    return capture.get().splitlines()


@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("height", [10, 24, 60])
@pytest.mark.parametrize("n_scans", [1, 20, 300])
@pytest.mark.parametrize("name", [NAME, "sub-{:03}" + "x" * 200], ids=["short", "long"])
def test_the_screen_fits_the_terminal(width: int, height: int, n_scans: int, name: str) -> None:
    lines = drawn(busy(n_scans, name=name), width, height)
    assert max(map(len, lines)) <= width
    assert len(lines) < height


@pytest.mark.parametrize("width", [80, 160])
def test_names_that_look_like_markup_are_shown_as_they_are(width: int) -> None:
    text = "\n".join(drawn(busy(1, n_failed=0), width))
    assert "sub-000_ses-[bold]x[/]/" in text
    assert "sub-000_ses-[bold]x[/] " in text


def test_the_figures_of_the_run_are_whole_at_80_columns() -> None:
    text = "\n".join(drawn(busy(300), 80))
    for fact in (
        "1/7500; 0 of 300 scans done, 3 failed",
        "16 of 16 reserved",
        "48.0 GiB of 64.0 GiB reserved, 32.0 GiB used",
        "1:01:40, ANTs 2.5.1",
    ):
        assert fact in text


def test_what_does_not_fit_is_counted() -> None:
    lines = drawn(busy(300), 80)
    steps = sum("registration" in line or "ses-[bold]x[/]/sub" in line for line in lines)
    more = [
        int(line.split()[1]) for line in lines if line.strip().startswith("and ") and line.rstrip().endswith("more")
    ]
    assert len(more) == 2 and steps + more[0] == 16


def test_a_tall_terminal_shows_every_step_that_runs() -> None:
    lines = drawn(busy(300), 160, 60)
    assert sum("subcortical_nonlinear_registration" in line for line in lines) == 16
    assert not any(line.strip().startswith("and ") for line in lines)


def test_a_run_that_has_not_begun_can_be_drawn() -> None:
    assert drawn(RunState(), 80)


def test_the_head_of_the_queue_says_why_it_waits() -> None:
    state = busy(20, name="sub-{:03}")
    state.apply(6, StepsWaiting(steps={"sub-007/nonlinear_registration": "waits for 1.2 GiB more of memory"}))
    text = "\n".join(drawn(state, 80))
    assert "sub-007/nonlinear_registration waits for 1.2 GiB more of memory" in text
    assert "sub-001/waits" not in text
