"""A file that lines are appended to, on a disk that is full for a while."""

from __future__ import annotations

from pathlib import Path

import pytest
from disk_limits import room_for

from tntpipe.journal.append_only_file import AppendedLines


def test_lines_that_do_not_fit_are_written_in_their_place_when_there_is_room_again(tmp_path: Path) -> None:
    lines = AppendedLines(tmp_path / "lines")
    with room_for(10):  # in the middle of the second line
        for line in ("first", "second", "third"):
            lines.append(line)
        assert (tmp_path / "lines").read_text() == "first\nseco"
        assert lines.n_missing == 2 and lines.error is not None and lines.error.strerror == "File too large"
    lines.append("fourth")
    assert (tmp_path / "lines").read_text() == "first\nsecond\nthird\nfourth\n"
    assert lines.n_missing == 0 and lines.error is None
    lines.close()


def test_what_waits_is_written_when_the_file_is_closed(tmp_path: Path) -> None:
    lines = AppendedLines(tmp_path / "lines")
    with room_for(3):
        lines.append("first")
    lines.close()
    assert (tmp_path / "lines").read_text() == "first\n"


def test_a_disk_that_stays_full_is_no_error_and_says_how_much_is_missing(tmp_path: Path) -> None:
    lines = AppendedLines(Path("/dev/full"))
    for _ in range(3):
        lines.append("line")
    lines.close()
    assert lines.n_missing == 3 and lines.error is not None and lines.error.strerror == "No space left on device"


def test_what_waits_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tntpipe.journal.append_only_file.MOST_WAITING_BYTES", 12)
    lines = AppendedLines(tmp_path / "lines")
    with room_for(0):
        for _ in range(5):
            lines.append("line")
        assert lines.n_missing == 5 and lines.n_lost == 3
    lines.append("last")
    assert (tmp_path / "lines").read_text() == "line\nline\nlast\n"
    lines.close()


def test_text_that_is_not_unicode_is_escaped(tmp_path: Path) -> None:
    lines = AppendedLines(tmp_path / "lines")
    lines.append("ä \udce9")
    lines.close()
    assert (tmp_path / "lines").read_text(encoding="utf-8") == "ä \\udce9\n"
