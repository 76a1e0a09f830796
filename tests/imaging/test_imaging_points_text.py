"""What antsApplyTransformsToPoints left may be anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tntpipe.errors import TableError
from tntpipe.imaging.points import points_to_ras


def test_points_that_are_no_text_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(b"\x80x,y,z\n")
    with pytest.raises(TableError, match=r"points\.csv: is not a table of points"):
        points_to_ras(path)
