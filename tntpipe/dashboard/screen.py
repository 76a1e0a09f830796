"""A terminal that shows frames, and is left as it was found.

A frame goes to the terminal's other screen (the alternate one), so that what was there comes back; only lines that have
changed are sent, as one synchronised update. Nothing here ever waits for the terminal: one that takes nothing (Ctrl-S,
a slow line) misses frames, and one that is gone is left alone. While the program is in the background nothing is drawn.
rich lays out what is shown; its ``Live`` is not used, because it waits for the terminal, and with it the run would.

The echo of keys is off meanwhile, because it would write into the frame; what was typed is thrown away.
"""

from __future__ import annotations

import contextlib
import os
import select
import termios
import time
from collections.abc import Sequence
from typing import Any, TextIO

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

from tntpipe.dashboard.frame import Line

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"""The alternate screen, no cursor, no wrapping at the right edge."""

LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
BEGIN_UPDATE, END_UPDATE = "\x1b[?2026h", "\x1b[?2026l"
LEAVE_WITHIN_S = 1.0
"""How long leaving may wait for a terminal that takes nothing."""

LOCAL_MODES = 3
"""Where ``tcgetattr`` has them."""

ASCII = str.maketrans("█▌▒·…│", "#:=.~|")
DEFAULT_SIZE = os.terminal_size((80, 24))


class Screen:
    """Frames on the terminal that ``stream`` writes to; OSError where it is none."""

    def __init__(self, stream: TextIO) -> None:
        self._own_fd = stream.fileno()
        if not os.isatty(self._own_fd):
            raise OSError(f"{stream.name} is no terminal")
        console = Console(file=stream, force_terminal=True)
        self._has_colour = not console.no_color and console.color_system is not None
        self._is_ascii = not (stream.encoding or "").lower().startswith("utf")
        self._codes: dict[Style, tuple[str, str]] = {}
        self._fd = _without_waiting(self._own_fd)
        self._shown: list[Line] = []
        self._size = DEFAULT_SIZE
        self._unsent = b""
        self._modes: list[Any] | None = None
        self._is_entered = False
        self._is_gone = False

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines, as they are now."""
        try:
            size = os.get_terminal_size(self._own_fd)
        except OSError:
            return DEFAULT_SIZE
        return size if size.columns > 0 and size.lines > 0 else DEFAULT_SIZE

    @property
    def is_ready(self) -> bool:
        """Whether a frame would be taken: the program is in the foreground, and the terminal has taken the last one."""
        if self._is_gone:
            return False
        if not self._is_in_foreground():
            self.leave()
            return False
        self._send("")
        return not self._unsent

    def show(self, frame: Sequence[Line], size: os.terminal_size) -> None:
        """Show a frame that was made for this size; only when ready."""
        update = self._enter() if not self._is_entered else ""
        if size != self._size or not self._shown:
            self._shown, self._size = [()] * len(frame), size
            update += "\x1b[0m\x1b[2J"
        for row, (line, shown) in enumerate(zip(frame, self._shown, strict=True), start=1):
            if line != shown:
                update += f"\x1b[{row};1H{self._coded(line)}"
                if sum(cell_len(text) for text, _ in line) < size.columns:
                    update += "\x1b[K"  # after the last column it would erase what is there
        if update:
            self._send(f"{BEGIN_UPDATE}{update}{END_UPDATE}")
            self._shown = list(frame)

    def leave(self) -> None:
        """Give the terminal back as it was; the next frame takes it again."""
        if not self._is_entered:
            return
        self._is_entered, self._shown = False, []
        deadline = time.monotonic() + LEAVE_WITHIN_S
        self._send(END_UPDATE + LEAVE)
        while self._unsent and not self._is_gone and time.monotonic() < deadline:
            select.select([], [self._fd], [], 0.05)
            self._send("")
        self._unsent = b""
        self._restore_modes()

    def leave_at_once(self) -> None:
        """The same for a process that has no more time: it tries, and does not wait."""
        if self._is_entered:
            self._send(END_UPDATE + LEAVE)
            self._restore_modes()

    def close(self) -> None:
        """Leave, for good."""
        self.leave()
        self._is_gone = True
        if self._fd != self._own_fd:
            os.close(self._fd)
            self._fd = self._own_fd

    def _enter(self) -> str:
        self._is_entered = True
        with contextlib.suppress(termios.error):
            self._modes = termios.tcgetattr(self._own_fd)
            silent = list(self._modes)
            silent[LOCAL_MODES] &= ~termios.ECHO
            termios.tcsetattr(self._own_fd, termios.TCSANOW, silent)
        return ENTER

    def _restore_modes(self) -> None:
        """Not from the background, where the modes are somebody else's, and changing them would stop this process."""
        if self._modes is not None and self._is_in_foreground():
            with contextlib.suppress(termios.error):
                termios.tcflush(self._own_fd, termios.TCIFLUSH)
                termios.tcsetattr(self._own_fd, termios.TCSANOW, self._modes)
        self._modes = None

    def _is_in_foreground(self) -> bool:
        """True as well where nobody controls jobs on the terminal."""
        try:
            return os.tcgetpgrp(self._own_fd) == os.getpgrp()
        except OSError:
            return True

    def _send(self, text: str) -> None:
        """Send text after what the terminal has not taken yet, as far as it takes it now."""
        self._unsent += text.encode(errors="replace")
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._fd, self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._is_gone, self._unsent = True, b""

    def _coded(self, line: Line) -> str:
        text = "".join([before + text + after for text, (before, after) in self._styled(line)])
        return text.translate(ASCII) if self._is_ascii else text

    def _styled(self, line: Line) -> list[tuple[str, tuple[str, str]]]:
        return [(text, self._codes.get(style) or self._learn(style)) for text, style in line]

    def _learn(self, style: Style) -> tuple[str, str]:
        """What comes before and after a text of that style."""
        shown = style if self._has_colour else style.without_color
        before, _, after = shown.render("|", color_system=ColorSystem.STANDARD).partition("|")
        self._codes[style] = before, after
        return before, after


def _without_waiting(fd: int) -> int:
    """The terminal behind ``fd`` opened once more, so that writing to it never waits and nobody else is affected."""
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return fd
