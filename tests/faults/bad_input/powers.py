"""Takes from root what lets it read and write whatever the permissions say, so that they can be tested by root too."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

CAPABILITY_VERSION_3 = 0x20080522  # <linux/capability.h>, and the two below
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2

_Words = ctypes.c_uint32 * 6
"""Effective, permitted and inheritable sets, the low 32 capabilities and then the high ones."""


@contextlib.contextmanager
def ordinary_permissions() -> Iterator[None]:
    """While it lasts, permissions hold for this thread and those that it starts, whoever runs it."""
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    held = _Words()
    if libc.capget(header, held):
        raise OSError(ctypes.get_errno(), "capget")
    fewer = _Words(*held)
    fewer[0] &= ~(1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH)
    if libc.capset(header, fewer):
        raise OSError(ctypes.get_errno(), "capset")
    try:
        yield
    finally:
        libc.capset(header, held)
