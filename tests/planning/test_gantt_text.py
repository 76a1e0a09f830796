"""The text picture, letter by letter where it is small, and never too wide."""

from __future__ import annotations

import pytest
from hand_worked import BUDGET, JOBS, many_scans, span

from tntpipe.planning.forecast import Forecast, forecast
from tntpipe.planning.gantt_text import gantt_text


def test_two_scans_at_forty_characters() -> None:
    assert gantt_text(forecast(JOBS, BUDGET), 40) == [
        "                                    done",
        "b      ████████▓▓▓               0:00:40",
        "a      █████████████████▓▓▓▓▓    0:01:20",
        "",
        "CPUs   ███████████▄▄▄▄▄▄▄▄▄▄▄       of 2",
        "memory ▆▆▆▆▆▆▆▆▆▄▄▃▃▃▃▃▃▁▁▁▁▁ of 8.0 GiB",
        "       └───────────────┴─────",
        "       0:00:00        0:01:00",
        "█ register   ▓ measure",
    ]


def test_a_scan_that_waits_and_small_steps_have_marks_of_their_own() -> None:
    spans = [span("a", "long", 0, 500), span("b", "small", 0, 3), span("b", "long", 500, 1000, cpus=2)]
    foreseen = Forecast.of(spans, BUDGET, forecast(JOBS, BUDGET).bound)
    lines = gantt_text(foreseen, 40)
    assert lines[1:3] == [
        "a      ███████████               0:08:20",
        "b      ░··········███████████    0:16:40",
    ]
    assert lines[-1] == "█ long   ░ other steps   · waits"


@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("n_scans", [1, 20, 21, 200])
def test_no_line_is_wider_than_asked(n_scans: int, width: int) -> None:
    lines = gantt_text(many_scans(n_scans, "sub-a-rather-long-label_ses-of-some-length_{:03}"), width)
    assert max(map(len, lines)) <= width


def test_many_scans_share_rows_in_the_order_in_which_they_begin() -> None:
    lines = gantt_text(many_scans(45), 80)
    rows = [line for line in lines if line.startswith("scan")]
    assert len(rows) == 15
    assert rows[0].startswith("scans 1-3 ") and rows[-1].startswith("scans 43-45 ")


def test_labels_keep_their_ends() -> None:
    lines = gantt_text(many_scans(2, "sub-a-rather-long-label_ses-of-some-length_{:03}"), 80)
    assert lines[2].startswith("sub-a-rather-…ome-length_000 ")


def test_a_tab_in_a_name_does_not_move_the_columns() -> None:
    foreseen = Forecast.of([span("sub-\t1", "x", 0, 10)], BUDGET, forecast(JOBS, BUDGET).bound)
    assert gantt_text(foreseen, 60)[1].startswith("sub-\\t1 █")


def test_nothing_to_do_has_no_picture() -> None:
    assert gantt_text(forecast((), BUDGET), 80) == []
