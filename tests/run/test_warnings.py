"""What a step warns of reaches the run, the summary and the next run, which does not run the step."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_runs import World, script

from tntpipe.errors import WARNING_MARK
from tntpipe.journal.events import Notice, ScanEnded, ScanOutcome, StepEnded
from tntpipe.journal.run_state import RunState
from tntpipe.run.closing_report import print_summary
from tntpipe.store.work_folder import MOST_WARNINGS

SAYS = f"echo '{WARNING_MARK}the brain is a bottle'; echo 'WARNING: of ITK'; echo done > out"


def notices(world: World) -> list[Notice]:
    return [event for event in world.events if isinstance(event, Notice) and event.level == "WARNING"]


def test_a_marked_line_of_a_steps_log_is_a_warning_about_its_scan(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run([script("scan/step", SAYS)])
    assert notices(world) == [Notice(text="scan/step: the brain is a bottle", level="WARNING", scan="scan")]
    names = [type(event) for event in world.events]
    assert names.index(Notice) < names.index(StepEnded), "before the scan's end, which may follow"


def test_a_step_that_is_not_run_again_warns_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run([script("scan/step", SAYS)])
    assert world.work.record("scan/step").warnings == ("the brain is a bottle",)  # type: ignore[union-attr]
    assert world.run([script("scan/step", SAYS)]) == {"scan/step": "reused"}
    assert [notice.text for notice in notices(world)] == ["scan/step: the brain is a bottle"]


def test_a_step_that_warns_without_end_is_cut_short(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run([script("scan/step", f"for i in $(seq 99); do echo '{WARNING_MARK}'$i; done; echo done > out")])
    assert [notice.text for notice in notices(world)] == [f"scan/step: {i}" for i in range(1, MOST_WARNINGS + 1)]


def test_the_summary_has_each_warning_however_many_scans_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = RunState()
    for number in range(40):
        state.apply(float(number), ScanEnded(scan=f"sub-{number}", outcome=ScanOutcome.DONE))
    state.apply(40.0, Notice(text="sub-7/step: a bottle", level="WARNING", scan="sub-7"))
    state.apply(41.0, Notice(text="of the run", level="WARNING"))
    print_summary(state, tmp_path / "run", tmp_path)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "sub-7: done WARNING sub-7/step: a bottle"
    assert said[1:3] == ["40 done, 0 failed, 0 skipped (finished before)", "1 with warnings: look at it before use"]
