"""tntpipe: volumes of tissue, lobes, nuclei and head from T1-weighted brain MRI."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pandas

__version__ = "0.1.0"


def read(output_dir: Path | str, *, wide: bool = False, participants: Path | str | None = None) -> pandas.DataFrame:
    """What was measured of all scans as a pandas DataFrame, with participants merged: `tntpipe.study.frame.read`."""
    from tntpipe.study import frame

    return frame.read(output_dir, wide=wide, participants=participants)
