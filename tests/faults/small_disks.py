"""Disks of a few kilobytes, which only root can make: tests that need one are skipped for others, and say so."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class SmallDisk:
    """A file system in memory at ``path``."""

    path: Path

    def remount(self, *options: str) -> None:
        """Give it other options: ``size=10m``, ``ro``, ``rw``."""
        subprocess.run(["mount", "-o", ",".join(("remount", *options)), self.path], check=True)

    def fill(self) -> None:
        """Leave no room on it."""
        with (self.path / "filling").open("wb") as file:
            subprocess.run(["cat", "/dev/zero"], stdout=file, stderr=subprocess.DEVNULL, check=False)

    def make_room(self) -> None:
        (self.path / "filling").unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 256 kB."""
    path = tmp_path / "disk"
    path.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=777", "tmpfs", path], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"a file system cannot be mounted here: {made.stderr.decode().strip()}")
    yield SmallDisk(path)
    subprocess.run(["umount", "-l", path], check=True)
