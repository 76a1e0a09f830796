"""Whether two output folders hold the same files, byte for byte."""

from __future__ import annotations

from pathlib import Path


def differences(one: Path, other: Path) -> list[str]:
    """What differs between two output folders, logs and work folders left out."""
    names, other_names = results(one), results(other)
    found = [f"{name} is in one folder only" for name in sorted(names ^ other_names)]
    same = sorted(names & other_names)
    return found + [f"{name} differs" for name in same if (one / name).read_bytes() != (other / name).read_bytes()]


def results(root: Path) -> set[Path]:
    """The files of an output folder that are results, relative to it."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {path for path in paths if path.parts[0] not in ("logs", "work")}
