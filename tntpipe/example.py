"""Writes the example dataset that ships with the package: ``python -m tntpipe.example FOLDER``.

Two real people at 2 mm; where they come from, and under which licences, is told in the dataset's README and LICENSE.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from tntpipe.files import copy_file


def write_example(folder: Path) -> None:
    """Copy the dataset to ``folder``; a file that is there already with the same content is left alone."""
    source = Path(str(resources.files("tntpipe"))) / "data" / "example" / "bids"
    for path in sorted(source.rglob("*")):
        destination = folder / path.relative_to(source)
        if path.is_dir():
            destination.mkdir(parents=True, exist_ok=True)
        elif not destination.is_file() or destination.read_bytes() != path.read_bytes():
            destination.parent.mkdir(parents=True, exist_ok=True)
            copy_file(path, destination)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    words = sys.argv[1:] if arguments is None else arguments
    if len(words) != 1 or words[0].startswith("-"):
        print("usage: python -m tntpipe.example FOLDER    (writes a BIDS dataset of two scans)")
        return 0 if list(words) in (["-h"], ["--help"]) else 64
    write_example(Path(words[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
