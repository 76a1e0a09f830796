"""Frames on a terminal: what it is sent, what it is left as, and that it is never waited for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.style import Style
from test_dashboard import busy

from tntpipe.dashboard.frame import Line, frame
from tntpipe.dashboard.live import FRAME_S, SHARE, LiveScreen, live_screen
from tntpipe.dashboard.screen import BEGIN_UPDATE, END_UPDATE, ENTER, LEAVE, Screen
from tntpipe.journal.run_state import RunState

PLAIN = Style.null()


class Terminal:
    """A pseudo-terminal; what it is sent is kept, and drawn on a grid as far as frames need."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self.master, slave = os.openpty()
        self.stream = os.fdopen(slave, "w", encoding="utf-8")
        self.resize(columns, lines)
        os.set_blocking(self.master, False)

    def resize(self, columns: int, lines: int) -> None:
        self.grid = [" " * columns for _ in range(lines)]
        fcntl.ioctl(self.stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def sent(self) -> str:
        """What it was sent since the last call; it is drawn."""
        data = b""
        try:
            while part := os.read(self.master, 65536):
                data += part
        except OSError:
            pass
        text = data.decode()
        self._draw(text)
        return text

    def _draw(self, text: str) -> None:
        row = column = 0
        for code, letters in re.findall(r"(\x1b\[[?0-9;]*[A-Za-z])|([^\x1b]+)", text):
            if code.endswith("H"):
                row, column = (int(number) - 1 for number in code[2:-1].split(";"))
            elif code.endswith("J"):
                self.grid = [" " * len(line) for line in self.grid]
            elif code.endswith("K"):
                self.grid[row] = self.grid[row][:column].ljust(len(self.grid[row]))
            elif letters:
                line = self.grid[row]
                self.grid[row] = (line[:column] + letters + line[column + len(letters) :])[: len(line)]
                column = min(column + len(letters), len(line) - 1)

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.stream.fileno())[3] & termios.ECHO)

    def close(self) -> None:
        self.stream.close()
        with contextlib.suppress(OSError):
            os.close(self.master)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def screen(terminal: Terminal) -> Iterator[Screen]:
    screen = Screen(terminal.stream)
    yield screen
    screen.close()


def lines_of(*texts: str, n: int = 24) -> list[Line]:
    return [((text, Style.parse("bold red")),) for text in texts] + [()] * (n - len(texts))


def shown(screen: Screen, lines: list[Line]) -> None:
    assert screen.is_ready
    screen.show(lines, screen.size)


def test_the_terminal_shows_the_frame(terminal: Terminal, screen: Screen) -> None:
    state = busy(20, name="sub-{:03}")
    for now in (3700.0, 3701.0, 3760.0):
        lines = frame(state, now, 80, 24, "x" * 80)
        shown(screen, lines)
        terminal.sent()
        assert terminal.grid == ["".join(text for text, _ in line).ljust(80) for line in lines]


def test_only_lines_that_changed_are_sent_in_one_update(terminal: Terminal, screen: Screen) -> None:
    shown(screen, lines_of("first", "second", "third"))
    first = terminal.sent()
    assert first.startswith(BEGIN_UPDATE + ENTER) and first.endswith(END_UPDATE) and "second" in first
    shown(screen, lines_of("first", "SECOND", "third"))
    assert terminal.sent() == f"{BEGIN_UPDATE}\x1b[2;1H\x1b[1;31mSECOND\x1b[0m\x1b[K{END_UPDATE}"
    shown(screen, lines_of("first", "SECOND", "third"))
    assert terminal.sent() == ""


def test_the_terminal_is_left_as_it_was_found_and_can_be_taken_again(terminal: Terminal, screen: Screen) -> None:
    for _ in range(2):
        shown(screen, lines_of("a frame"))
        assert not terminal.echoes(), "a key would write into the frame"
        assert ENTER in terminal.sent()
        screen.leave()
        assert terminal.echoes()
        assert terminal.sent().endswith(LEAVE)
    screen.leave()
    assert terminal.sent() == "", "it was left before"
    screen.close()
    assert not screen.is_ready


def test_what_is_taken_is_given_back() -> None:
    for taken, left in ((r"\?1049h", r"\?1049l"), (r"\?25l", r"\?25h"), (r"\?7l", r"\?7h")):
        assert re.search(taken, ENTER) and re.search(left, LEAVE)
    assert len(re.findall("\x1b", ENTER)) == len(re.findall("\x1b", LEAVE)) == 3


def test_a_terminal_that_was_resized_is_drawn_anew(terminal: Terminal, screen: Screen) -> None:
    shown(screen, lines_of("wide"))
    terminal.sent()
    terminal.resize(40, 10)
    assert screen.size == (40, 10)
    shown(screen, lines_of("wide", n=10))
    assert "\x1b[2J" in terminal.sent()
    assert terminal.grid[0].rstrip() == "wide"


def test_a_terminal_that_takes_nothing_is_not_waited_for(terminal: Terminal, screen: Screen) -> None:
    began = time.monotonic()
    number = 0
    while screen.is_ready:
        screen.show([(("x" * 70 + str(number) + str(row), PLAIN),) for row in range(24)], screen.size)
        number += 1
        assert number < 1000, "nobody reads, so that some frame must be too much"
    assert time.monotonic() - began < 10
    for _ in range(50):
        terminal.sent()
        if screen.is_ready:
            break
    screen.show([((f"last {row}", PLAIN),) for row in range(24)], screen.size)
    terminal.sent()
    assert [line.rstrip() for line in terminal.grid] == [f"last {row}" for row in range(24)]


def test_leaving_a_terminal_that_takes_nothing_ends(terminal: Terminal, screen: Screen) -> None:
    number = 0
    while screen.is_ready:
        number += 1
        screen.show([(("y" * 70 + str(number) + str(row), PLAIN),) for row in range(24)], screen.size)
    leaving = threading.Thread(target=screen.leave, daemon=True)
    leaving.start()
    leaving.join(20)
    assert not leaving.is_alive()


def test_a_terminal_that_was_closed_is_left_alone(terminal: Terminal, screen: Screen) -> None:
    shown(screen, lines_of("a frame"))
    os.close(terminal.master)
    screen.show(lines_of("another"), screen.size)
    assert not screen.is_ready
    screen.leave()
    screen.leave_at_once()


def test_what_is_no_terminal_or_a_dumb_one_has_no_screen(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "log").open("w") as file:
        assert live_screen(file) is None
    live = live_screen(terminal.stream)
    assert live is not None
    live.close()
    for term in ("dumb", "unknown", ""):
        monkeypatch.setenv("TERM", term)
        assert live_screen(terminal.stream) is None
    monkeypatch.delenv("TERM")
    assert live_screen(terminal.stream) is None


def test_without_colour_the_frame_stays(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen(terminal.stream)
    shown(screen, frame(busy(20), 3700.0, 80, 24))
    screen.close()
    sent = terminal.sent()
    assert "\x1b[1m" in sent and "running: 16 steps" in sent
    assert not re.search(r"\x1b\[[0-9;]*(3|4|9|10)[0-7]m", sent)


def test_a_terminal_without_unicode_is_sent_none(terminal: Terminal) -> None:
    stream = os.fdopen(os.dup(terminal.stream.fileno()), "w", encoding="ascii")
    screen = Screen(stream)
    shown(screen, frame(busy(20), 3700.0, 80, 24))
    screen.close()
    stream.close()
    sent = terminal.sent()
    assert sent.isascii() and "####" in sent


class SlowScreen(Screen):
    """Each frame takes so much CPU time."""

    frame_s = 0.0
    used_s = 0.0
    n_frames = 0

    def show(self, frame, size) -> None:  # type: ignore[no-untyped-def]
        SlowScreen.n_frames += 1
        SlowScreen.used_s += SlowScreen.frame_s


@pytest.mark.parametrize("frame_s", [0.0, 0.001, 0.1, 2.0])
def test_frames_take_no_more_than_their_share_of_a_cpu(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, frame_s: float
) -> None:
    instant = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: instant)
    SlowScreen.frame_s, SlowScreen.used_s, SlowScreen.n_frames = frame_s, 0.0, 0
    live = LiveScreen(SlowScreen(terminal.stream), cpu_s=lambda: SlowScreen.used_s)
    for _ in range(10_000):
        instant += 0.1
        live.tick(RunState(), 0.0)
    assert SlowScreen.used_s - frame_s <= SHARE * 1000
    assert SlowScreen.n_frames <= 1 + 1000 / FRAME_S
    assert SlowScreen.n_frames > 3
    live.close()


def test_keys_typed_meanwhile_do_not_reach_the_shell(terminal: Terminal, screen: Screen) -> None:
    shown(screen, lines_of("a frame"))
    os.write(terminal.master, b"rm -rf /\n")
    screen.leave()
    os.set_blocking(terminal.stream.fileno(), False)
    reader = os.open(os.ttyname(terminal.stream.fileno()), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    with pytest.raises(BlockingIOError):
        os.read(reader, 100)
    os.close(reader)


BACKGROUND = """
import os, sys, time
from tntpipe.dashboard.screen import Screen
screen = Screen(sys.stderr)
if os.fork() == 0:
    os.setpgid(0, 0)  # a job in the background of the shell that its parent is
    print("ready", screen.is_ready, flush=True)
    screen.leave()
    print("left", flush=True)
    os._exit(0)
os.wait()
print("ready", screen.is_ready, flush=True)
"""


def test_in_the_background_nothing_is_drawn(terminal: Terminal) -> None:
    slave = terminal.stream.fileno()
    program = subprocess.Popen(
        [sys.executable, "-c", BACKGROUND],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    said, _ = program.communicate(timeout=30)
    assert said.split() == [b"ready", b"False", b"left", b"ready", b"True"]
