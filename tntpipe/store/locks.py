"""Locks of the kernel's on files: they go with the process that holds them, however that ends.

On NFS they hold between machines where the server keeps locks (NFSv4; NFSv3 with lockd) and the mount does not say
``nolock`` or ``local_lock``; on Lustre where it is mounted with ``flock``. A file system without locks is told apart.
"""

from __future__ import annotations

import datetime
import errno
import fcntl
import os
import platform
import time
from pathlib import Path
from typing import IO, Any, TextIO

LOOKS = 100

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class NoLocksError(OSError):
    """The file system has no locks."""


def open_lock(path: Path) -> TextIO:
    """Open a file to be locked, made where there is none; OSError where a link stands in its place."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    return open(os.open(path, flags, 0o666), "a+", encoding="utf-8")  # noqa: PTH123


def try_lock(file: IO[str]) -> bool:
    """Take the lock on a file that is open for writing; False where another process holds it.

    Raises
    ------
    NoLocksError
        There is no such thing there.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in NO_LOCKS:
            raise NoLocksError(*error.args) from error
        raise
    return True


def is_held(path: Path) -> bool | None:
    """Whether some process holds the lock on a file, on whatever host; None where that cannot be known."""
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False
    except OSError:
        return None


def hold(file: IO[Any]) -> bool:
    """Hold the lock on an open file until it is closed; False where there are no locks. Who only looks lets go soon."""
    for _ in range(LOOKS):
        try:
            if try_lock(file):
                return True
        except OSError:
            return False
        time.sleep(0.01)
    return False


def holder() -> str:
    """This process, as it is named to those whom its lock keeps out."""
    began = datetime.datetime.now().isoformat(sep=" ", timespec="seconds")
    return f"host {platform.node()}, process {os.getpid()}, since {began}"
