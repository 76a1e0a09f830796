"""The screen as text at fixed sizes: what it shows, that it fits, and that it shows the same at any size."""

from __future__ import annotations

import unicodedata

import pytest
from rich.table import Table
from stories import STORY

from tntpipe.dashboard.cells import EMPTY, FULL, TAKEN, Bar, clean
from tntpipe.dashboard.frame import TWO_COLUMNS_FROM, frame
from tntpipe.dashboard.panels import MOST_SCANS_LISTED, Panel, shares
from tntpipe.formatting import GIB
from tntpipe.journal.events import (
    Notice,
    Outcome,
    RunEnded,
    RunForecast,
    RunStarted,
    ScanEnded,
    ScanOutcome,
    StepAdmitted,
    StepDropped,
    StepEnded,
    StepSampled,
    StepStarted,
    StepsWaiting,
)
from tntpipe.journal.run_state import RunState

NAME = "sub-{:03}_ses-[bold]x[/]"
NOW = 3700.0


def busy(n_scans: int, *, name: str = NAME, n_running: int = 16, n_failed: int = 3) -> RunState:
    """A run in full swing: some scans running, some failed with a long reason, the rest to come."""
    state = RunState()
    scans = [name.format(number) for number in range(n_scans)]
    state.apply(
        0,
        RunStarted(
            command=(),
            version="1",
            ants="ANTs 2.5.1.post95-g2236a75 in antspyx 0.6.3 (wheel: /very/long/path/to/site-packages/ants)",
            host={"name": "node7"},
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
        reason = "killed by SIGSEGV [signal 11]\nand more " * 3
        state.apply(1, StepEnded(name=f"{scan}/x", scan=scan, kind="x", outcome=Outcome.FAILED, message=reason))
        state.apply(1, ScanEnded(scan=scan, outcome=ScanOutcome.FAILED, message=f"x failed: {reason}"))
    for scan in scans[len(scans) - n_running :] if n_running <= len(scans) else scans:
        step = f"{scan}/nonlinear_registration"
        state.apply(1, StepAdmitted(name=step, cpus=1, mem_bytes=3 * GIB, expected_s=4000, why=""))
        state.apply(2, StepStarted(name=step, scan=scan, kind=step[-22:], cpus=1, mem_bytes=3 * GIB, pid=1))
        state.apply(3, StepSampled(name=step, age_s=1, cpu_s=1, cpus=0.75, rss_bytes=2 * GIB, vms_bytes=0))
        state.apply(3, StepSampled(name=step, age_s=1, cpu_s=1, cpus=0.75, rss_bytes=GIB, vms_bytes=0))
    state.apply(4, StepsWaiting(steps={f"{scan}/waits": "waits for 2 more CPUs " * 9 for scan in scans[:5]}))
    state.apply(4, Notice(text="a notice " * 40))
    return state


def drawn(state: RunState, width: int, height: int = 24) -> list[str]:
    return ["".join(text for text, _ in line) for line in frame(state, NOW, width, height, "the footer")]


def test_the_head_has_the_figures_of_the_run_at_80_columns() -> None:
    state = busy(300)
    state.apply(100.0, RunForecast(seconds_left=7200.0))
    text = "\n".join(drawn(state, 80))
    for fact in (
        "tntpipe on node7 for 1:01:40, about 1:00:00 left, until",
        "3 failed, 16 under way, 281 to come",
        "0 of 7500 done, 3 failed, 16 running",
        "12.0 busy, 16 of 16 reserved",
        "16.0 GiB used (most 17.0), 48.0 of 64.0 reserved",
    ):
        assert fact in text, fact


@pytest.mark.parametrize("width", [1, 20, 40, 80, 120, TWO_COLUMNS_FROM, 200])
@pytest.mark.parametrize("height", [1, 2, 5, 6, 7, 10, 24, 60])
@pytest.mark.parametrize("n_scans", [1, 20, 500])
@pytest.mark.parametrize("name", [NAME, "sub-{:03}" + "x" * 200, "sub-{:03}漢字"], ids=["short", "long", "wide"])
def test_a_frame_has_as_many_lines_as_the_terminal_and_none_is_too_long(
    width: int, height: int, n_scans: int, name: str
) -> None:
    lines = drawn(busy(n_scans, name=name), width, height)
    assert len(lines) == height
    assert max(map(cells, lines)) <= width


def cells(text: str) -> int:
    """What a terminal makes of it, told by another table than the one that draws."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def test_a_running_step_shows_its_time_of_the_expected_one_its_cpus_and_its_memory_now_at_most_and_asked_for() -> None:
    row = next(line for line in drawn(busy(20, name="sub-{:03}"), 80) if line.startswith("sub-004/nonlinear"))
    assert row.split() == ["sub-004/nonlinear_registration", "1:01:38", "/", "1:06:40", "0.8/1", "1.0", "2.0", "3.0"]


def test_a_step_that_takes_longer_than_expected_and_memory_beyond_the_request_stand_out() -> None:
    state = busy(1, name="sub-{}", n_failed=0)
    step = state.running["sub-0/nonlinear_registration"]
    step.expected_s, step.rss_bytes = 60.0, 4 * GIB
    styles = {text.strip(): str(style) for line in frame(state, NOW, 80, 24) for text, style in line}
    assert (styles["1:01:38 / 1:00"], styles["4.0"]) == ("magenta", "red")


def test_a_scan_shows_its_phase_and_how_far_it_is() -> None:
    state = busy(4, name="sub-{}", n_running=2, n_failed=1)
    for kind in ("a", "b"):
        state.apply(5, StepEnded(name=f"sub-3/{kind}", scan="sub-3", kind=kind, outcome=Outcome.DONE))
    state.apply(6, StepStarted(name="sub-3/c", scan="sub-3", kind="c", cpus=1, mem_bytes=GIB, pid=1))
    rows = {line.split()[0]: line for line in drawn(state, 80) if "/25 " in line}
    assert rows["sub-3"].rstrip().endswith("2/25 nonlinear registration, and 1 more")
    assert rows["sub-3"].count(FULL) == 1 and rows["sub-3"].count(TAKEN) == 1
    assert rows["sub-1"].rstrip().endswith("0/25 to come")
    assert "/25 x failed: killed" in rows["sub-0"]
    state.apply(7, StepEnded(name="sub-3/c", scan="sub-3", kind="c", outcome=Outcome.DONE))
    name = "sub-3/nonlinear_registration"
    state.apply(7, StepEnded(name=name, scan="sub-3", kind="n", outcome=Outcome.DONE))
    assert any(line.startswith("sub-3 ") and line.rstrip().endswith("4/25 waits") for line in drawn(state, 80))


def test_of_many_scans_those_under_way_are_listed_and_the_others_counted() -> None:
    lines = drawn(busy(MOST_SCANS_LISTED + 1, name="sub-{:03}"), 80, 60)
    assert sum("/25 " in line for line in lines) == 16
    assert "scans: 16 under way" in lines


def test_what_does_not_fit_is_counted_and_every_kind_of_thing_has_a_row() -> None:
    lines = drawn(busy(300, name="sub-{:03}"), 80)
    n_steps = sum(line.count("/nonlinear_registration") for line in lines)
    n_scans = sum("/25 " in line for line in lines)
    assert 1 < n_steps < 16 and 1 < n_scans < 16
    assert any(line.startswith(f"running: 16 steps, {n_steps} shown") for line in lines)
    assert f"scans: 16 under way, {n_scans} shown" in lines
    assert any("waits for 2 more CPUs" in line for line in lines)
    assert any("killed by SIGSEGV [signal 11] and more" in line for line in lines), "one line, however many it had"
    assert any("a notice a notice" in line for line in lines)


def test_a_tall_terminal_shows_every_step_that_runs() -> None:
    lines = drawn(busy(300, name="sub-{:03}"), 160, 60)
    assert sum("/nonlinear_registration" in line for line in lines) == 16
    assert not any("shown" in line for line in lines)


def test_a_wide_terminal_has_scans_beside_steps() -> None:
    lines = drawn(busy(300, name="sub-{:03}"), TWO_COLUMNS_FROM)
    assert any("running: 16 steps" in line and "│ failed: 3" in line for line in lines)


def test_the_last_failure_is_shown_however_much_happens_after_it() -> None:
    state = busy(300, name="sub-{:03}")
    for number in range(1000):
        state.apply(10.0, Notice(text=f"notice {number}"))
    for height in (10, 24, 60):
        assert any("sub-002/x  killed by" in line for line in drawn(state, 80, height)), height


def test_the_head_of_the_queue_says_why_it_waits() -> None:
    state = busy(20, name="sub-{:03}")
    state.apply(6, StepsWaiting(steps={"sub-007/nonlinear_registration": "waits for 1.2 GiB more of memory"}))
    text = "\n".join(drawn(state, 80))
    assert "sub-007/nonlinear_registration  waits for 1.2 GiB more of memory" in text
    assert "sub-001/waits" not in text


def test_an_end_that_is_past_and_one_that_nobody_foresees_are_told_as_such() -> None:
    state = busy(3)
    assert "estimating time left" in drawn(state, 80)[0]
    state.apply(10, RunForecast(seconds_left=60.0))
    assert "should have ended" in drawn(state, 80)[0]
    state.apply(70, RunEnded(exit_status=1, scans={}))
    assert "for 1:10, ended with exit status 1" in drawn(state, 80)[0]


@pytest.mark.parametrize("n_events", range(len(STORY) + 1))
def test_a_run_can_be_drawn_after_any_event(n_events: int) -> None:
    state = RunState()
    for number, event in enumerate(STORY[:n_events]):
        state.apply(1000.0 + number, event)
    assert len(drawn(state, 80)) == 24


def test_what_a_name_or_message_holds_never_reaches_the_terminal_as_a_command() -> None:
    state = busy(1, name="sub-{}")
    state.apply(9, Notice(text="\x1b]0;title\x07 \x9b2J\u202e backwards \udce9"))
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\udce9"}.intersection("".join(drawn(state, 160, 60)))
    assert clean("a\tb \r\n c") == "a b c"


def test_names_that_look_like_markup_are_shown_as_they_are() -> None:
    assert any(line.startswith("sub-000_ses-[bold]x[/] ") for line in drawn(busy(1, n_failed=0), 80))


def test_a_bar_is_full_only_when_all_is_done_and_shows_all_that_is_not_nothing() -> None:
    for width in (2, 5, 24):
        for whole in (7, 100, 12003):
            for done in {0, 1, whole // 2, whole - 1, whole}:
                text = "".join(part.text for part in Bar(width, whole, ((done, FULL, ""),)).segments())
                assert len(text) == width
                assert (EMPTY not in text) == (done == whole)
                assert (FULL in text) == (done > 0)
    over = tuple(Bar(4, 2, ((1, FULL, "a"), (5, TAKEN, "b"))).segments())
    assert over == ((FULL * 2, "a"), (TAKEN * 2, "b")), "more than there is fills it"


def parts_of(state: RunState, label: str, width: int = 80) -> dict[str, int]:
    """How many cells of the bar behind a label have which style."""
    row = next(line for line in frame(state, NOW, width, 24) if line and line[0][0].strip() == label)
    return {str(style): len(text) for text, style in row if set(text) & {FULL, TAKEN, EMPTY}}


def test_nothing_that_failed_or_was_dropped_is_green() -> None:
    """Seven scans of 25 steps: in each one step failed, and eight that follow it will never run."""
    state = busy(7, name="sub-{}", n_running=0, n_failed=7)
    for scan in range(7):
        for number in range(8):
            state.apply(5, StepDropped(name=f"sub-{scan}/{number}", scan=f"sub-{scan}", because=f"sub-{scan}/x"))
    assert set(parts_of(state, "scans")) == {"red"}
    assert set(parts_of(state, "steps")) == {"red", "dim"}
    assert any("0 of 175 done, 7 failed, 56 dropped" in line for line in drawn(state, 80))


def test_in_a_scan_that_failed_what_was_done_is_green_and_only_the_rest_is_red() -> None:
    state = busy(1, name="sub-{}", n_running=0, n_failed=0)
    for kind in "abcdefghijkl":
        state.apply(5, StepEnded(name=f"sub-0/{kind}", scan="sub-0", kind=kind, outcome=Outcome.DONE, usage=None))
    state.apply(6, StepEnded(name="sub-0/m", scan="sub-0", kind="m", outcome=Outcome.FAILED, usage=None, message="x"))
    state.apply(6, StepDropped(name="sub-0/n", scan="sub-0", because="sub-0/m"))
    before = parts_of(state, "sub-0")
    assert before["green"] > before["red"] > 0, "while the scan goes on"
    state.apply(7, ScanEnded(scan="sub-0", outcome=ScanOutcome.FAILED, message="m failed"))
    after = parts_of(state, "sub-0")
    assert (after["green"], after["red"]) == (before["green"], before["red"])


@pytest.mark.parametrize(("busy_cpus", "red"), [(0.9, False), (1.0, False), (1.04, True)])
def test_cpus_are_red_above_the_budget_and_not_at_it(busy_cpus: float, red: bool) -> None:
    state = busy(16, name="sub-{:03}", n_failed=0)
    for step in state.running.values():
        step.busy_cpus = busy_cpus
    text = f"{16 * busy_cpus:.1f} busy"
    (style,) = (str(style) for line in frame(state, NOW, 80, 24) for part, style in line if part == text)
    assert (style == "red") is red


def test_scans_stay_apart_where_their_steps_do_not_fit() -> None:
    """At 80 columns two runs of one session with long names, and the beginning of what is done with them."""
    name = "sub-CONTROL0001_ses-20240131_run-{:02}"
    state = busy(2, name=name, n_failed=0, n_running=2)
    rows = [line.partition(" ")[0] for line in drawn(state, 80) if "/1" in line or ":38" in line]
    assert len(set(rows)) == 2
    assert all(row.startswith(f"{name.format(number)}/nonlin") for number, row in enumerate(rows))


@pytest.mark.parametrize("background", ["yellow", "bright_yellow", "white", "black"])
def test_no_text_has_a_colour_that_some_background_swallows(background: str) -> None:
    state = busy(20)
    state.apply(5, Notice(text="careful", level="WARNING"))
    styles = {str(style) for line in frame(state, NOW, 160, 60) for _, style in line}
    assert "magenta" in styles and not any(background in style for style in styles)


def test_each_panel_has_a_row_where_there_is_room_and_the_first_panels_come_first() -> None:
    panels = [
        Panel(n_rows, weight, lambda _width, _n: Table()) for n_rows, weight in ((100, 1), (0, 1), (2, 3), (100, 3))
    ]
    assert shares(panels, 1) == [0, 0, 0, 0]
    assert shares(panels, 3) == [1, 0, 0, 0] or shares(panels, 3) == [2, 0, 0, 0]
    assert shares(panels, 6) == [1, 0, 1, 1]
    for height in range(60):
        shown = shares(panels, height)
        assert sum(shown) + sum(map(bool, shown)) == min(height, height if height != 1 else 0)
