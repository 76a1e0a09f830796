"""A terminal for a program, and whether it is left as it was found."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import struct
import subprocess
import termios

from processes import until

from tntpipe.dashboard.screen import ENTER, LEAVE


class Terminal:
    """A terminal of 80 by 24 that remembers what it was sent."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.modes = termios.tcgetattr(self.slave)
        self._sent = b""

    @property
    def sent(self) -> str:
        """All that it was sent; whoever looks reads what is there."""
        with contextlib.suppress(OSError):
            while part := os.read(self.master, 65536):
                self._sent += part
        return self._sent.decode(errors="replace")

    def status_of(self, process: subprocess.Popen[bytes]) -> int:
        """Read until the run has ended; its exit status."""
        until(lambda: self.sent and process.poll() is not None)
        return process.wait()

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    @property
    def is_as_it_was(self) -> bool:
        """Every mode, and all that was taken was given back."""
        taken = [code for code in re.findall(r"\x1b\[\?(\d+)[hl]", self.sent) if code in ("1049", "25", "7")]
        return (
            termios.tcgetattr(self.slave) == self.modes
            and self.sent.count(ENTER) == self.sent.count(LEAVE)
            and len(taken) == 3 * (self.sent.count(ENTER) + self.sent.count(LEAVE))
        )

    def close(self) -> None:
        os.close(self.slave)
        os.close(self.master)
