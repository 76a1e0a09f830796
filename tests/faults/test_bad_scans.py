"""A scan that can be run and is no proper picture of a head ends in an error, by real ANTs.

``python -m tools.bad_input`` runs all of them."""

from __future__ import annotations

import stat
from pathlib import Path

from bad_input.judged_runs import Judged, run_changed
from bad_input.place import make_heads, make_place
from bad_input.scans import CHANGES, HARMLESS


def test_an_upside_down_head_fails_before_figures_are_made_of_it(tmp_path: Path) -> None:
    """Watched as all cases are, and under a umask that its files must keep, those of ANTs too."""
    place = make_place(tmp_path / "root", make_heads(tmp_path))
    ended, (judged,) = run_changed(place, ["colin27"], ["upsidedown"], limit_s=600, umask=0o027)
    assert (ended.status, ended.changed) == (1, ()), ended.said
    assert judged.outcome == "failed" and "tissue_samples failed" in judged.message and not judged.fault
    assert "the registration has failed" in ended.said and "Traceback" not in ended.said
    assert not list(place.out.glob("sub-*/anat/*_seg-*_stats.tsv"))
    for path in place.out.rglob("*"):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            assert stat.S_IMODE(mode) == (0o750 if stat.S_ISDIR(mode) else 0o640), path


def test_a_scan_is_faulty_if_it_is_sound_and_doubted_or_wrong_and_done_in_silence() -> None:
    assert set(HARMLESS) < set(CHANGES)
    assert not Judged("sound", "done", "", ()).fault
    assert Judged("sound", "done", "", ("small",)).fault and Judged("sound", "failed", "", ()).fault
    assert Judged("bottle", "done", "", ()).fault and Judged("bottle", "stopped", "", ()).fault
    assert not Judged("bottle", "failed", "", ()).fault and not Judged("bottle", "done", "", ("no brain",)).fault
