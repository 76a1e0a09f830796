"""Whether two output folders hold the same: files byte for byte, transforms value for value.

ANTs writes transforms with the HDF5 library, which stores the time in them; their values are compared bit for bit.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np


def differences(one: Path, other: Path) -> list[str]:
    """What differs between two output folders, logs and work folders left out."""
    names, other_names = _results(one), _results(other)
    found = [f"{name} is in one folder only" for name in sorted(names ^ other_names)]
    found += [f"{name} differs" for name in sorted(names & other_names) if not _are_same(one / name, other / name)]
    return found


def _results(root: Path) -> set[Path]:
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {path for path in paths if path.parts[0] not in ("logs", "work")}


def _are_same(one: Path, other: Path) -> bool:
    if one.read_bytes() == other.read_bytes():
        return True
    return one.suffix == ".h5" and _values(one) == _values(other)


def _values(path: Path) -> dict[str, bytes]:
    values: dict[str, bytes] = {}

    def take(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            content = item[()]
            values[name] = f"{item.dtype} {item.shape} ".encode() + (
                b"\0".join(content.ravel()) if item.dtype.kind == "O" else np.ascontiguousarray(content).tobytes()
            )

    with h5py.File(path) as file:
        file.visititems(take)
    return values
