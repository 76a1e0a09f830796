"""How a run stands, from its events and from what can be seen of its process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from stories import FAILED, STORY

from tntpipe.formatting import GIB
from tntpipe.journal.events import RunEnded, RunForecast, RunStarted, StepAdmitted, StepSampled, StepStarted
from tntpipe.journal.run_state import RunState
from tntpipe.profiling.process_start import process_began
from tntpipe.status.liveness import CLOCK_SLACK_S, SILENT_S, Life, Sight, sight_of
from tntpipe.status.recorded_runs import newest_run, others_under_way
from tntpipe.status.status import SCHEMA_VERSION, heartbeat, status_lines, status_of

RUNNING = Sight(Life.RUNNING, "its process was seen")
FIELDS = (
    "schema_version t run state seen exit_status version ants command host pid folders began_t last_event_t elapsed_s "
    "left_s scans steps budget reserved used running waiting n_failures failures logs"
)
RUNNING_FIELDS = (
    "name scan kind pid began_t elapsed_s expected_s cpus busy_cpus cpu_s request_bytes rss_bytes peak_bytes log"
)


def state_of(*events: object) -> RunState:
    """After one event a second from 1000 on."""
    state = RunState()
    for number, event in enumerate(events):
        state.apply(1000.0 + number, event)  # type: ignore[arg-type]
    return state


def under_way() -> RunState:
    """One step has failed, one runs."""
    return state_of(
        STORY[0],
        FAILED,
        StepAdmitted(name="s/b", cpus=2, mem_bytes=GIB, expected_s=90.0, why="in order"),
        StepStarted(name="s/b", scan="s", kind="b", cpus=2, mem_bytes=GIB, pid=7),
        StepSampled(name="s/b", age_s=1, cpu_s=1.5, cpus=1.5, rss_bytes=GIB // 2, vms_bytes=9),
        StepSampled(name="s/b", age_s=2, cpu_s=2.5, cpus=1.0, rss_bytes=GIB // 4, vms_bytes=9),
        RunForecast(seconds_left=100.0),
    )


def test_the_fields_of_a_status_are_those_of_its_schema_version(tmp_path: Path) -> None:
    """Whoever changes the fields raises ``SCHEMA_VERSION`` and these tables together."""
    status = status_of(under_way(), RUNNING, tmp_path, 1010.0)
    assert (SCHEMA_VERSION, " ".join(status), " ".join(status["running"][0])) == (1, FIELDS, RUNNING_FIELDS)
    assert json.loads(json.dumps(status)) == status


def test_a_status_tells_what_runs_what_is_left_and_what_failed(tmp_path: Path) -> None:
    log = tmp_path / "steps/s/a.txt"
    log.parent.mkdir(parents=True)
    log.write_text("\n".join(f"line {number}" for number in range(99)))
    status = status_of(under_way(), RUNNING, tmp_path, 1010.0)
    assert (status["state"], status["elapsed_s"], status["left_s"]) == ("running", 10.0, 96.0)
    assert status["scans"] == {
        "all": 2,
        "done": 0,
        "skipped": 0,
        "failed": 0,
        "unfinished": 0,
        "under_way": 1,
        "to_come": 1,
    }
    assert (status["reserved"], status["used"]) == (
        {"cpus": 2, "mem_bytes": GIB},
        {"cpus": 1.0, "mem_bytes": GIB // 4, "peak_mem_bytes": GIB // 2},
    )
    step = status["running"][0]
    assert (step["elapsed_s"], step["expected_s"], step["peak_bytes"]) == (7.0, 90.0, GIB // 2)
    assert step["log"] == str(tmp_path / "steps/s/b.txt")
    failure = status["failures"][0]
    assert (failure["message"], failure["log"], failure["last_lines"][-1]) == ("exit status 3", str(log), "line 98")


def test_the_text_of_a_status_has_what_its_values_say(tmp_path: Path) -> None:
    text = "\n".join(status_lines(status_of(under_way(), RUNNING, tmp_path, 1010.0)))
    for fact in (
        *(f"{tmp_path.name}: running for 0:10; should end in 1:36", "its process was seen"),
        *("scans    2: 1 under way, 1 to come", "steps    3 of 6 ended", "2 of 4 reserved, 1.0 busy"),
        *("s/b  0:07 of about 1:30, 2 CPUs (1.0 busy), 0.25 GiB of 1.0 GiB", "s/a  exit status 3"),
    ):
        assert fact in text


def test_a_run_that_is_over_has_nothing_left_and_took_as_long_as_it_took(tmp_path: Path) -> None:
    state = state_of(STORY[0], RunForecast(seconds_left=50.0), RunEnded(exit_status=0, scans={}))
    status = status_of(state, Sight(Life.ENDED, "it ended"), tmp_path, 9999.0)
    assert (status["elapsed_s"], status["left_s"]) == (2.0, None)


def test_a_heartbeat_says_how_the_run_stands_in_one_line() -> None:
    said = heartbeat(under_way(), 1010.0)
    assert said.startswith("1 step running, 3 of 6 done, 0 of 2 scans; about 1:36 left; memory: 0.25 GiB used")


def started(host: str, pid: int) -> RunState:
    facts = STORY[0]
    assert isinstance(facts, RunStarted)
    values = {name: getattr(facts, name) for name in facts.__dataclass_fields__}
    return state_of(RunStarted(**values | {"host": {"name": host}, "pid": pid}))


@pytest.mark.parametrize(
    ("began", "life"),
    [(990.0, Life.RUNNING), (1000.0 + CLOCK_SLACK_S / 2, Life.RUNNING), (1100.0, Life.DIED), (None, Life.DIED)],
)
def test_on_the_runs_own_host_its_process_tells(began: float | None, life: Life) -> None:
    seen = sight_of(started("here", 7), host="here", process_began={7: began}.get, last_word=1000.0, now=99999.0)
    assert seen.life is life


@pytest.mark.parametrize(("age_s", "life"), [(SILENT_S - 1, Life.RUNNING), (SILENT_S + 1, Life.SILENT)])
def test_on_another_host_the_age_of_its_last_update_tells(age_s: float, life: Life) -> None:
    seen = sight_of(
        started("there", os.getpid()),
        host="here",
        process_began=lambda _pid: pytest.fail("not of this host"),
        last_word=2000.0 - age_s,
        now=2000.0,
    )
    assert seen.life is life
    assert "is on there and cannot be seen from here" in seen.how and re.search(r"last update \d+:\d\d ago", seen.how)


def seen_with(is_held: bool | None, host: str, *, exit_status: int | None = None, age_s: float = 60.0) -> Sight:
    """A run of process 1 of the host "box", as in a container."""
    state = started("box", 1)
    state.exit_status = exit_status
    here: dict[int, float | None] = {1: 1.0}
    return sight_of(state, host=host, process_began=here.get, last_word=1000.0, now=1000.0 + age_s, is_held=is_held)


def test_whoever_holds_its_journal_tells_whether_a_run_lives_whatever_the_names_of_host_and_process() -> None:
    assert seen_with(True, "elsewhere", age_s=1e6).life is Life.RUNNING
    assert seen_with(False, "box").life is Life.DIED, "process 1 of this host is another one"
    assert seen_with(None, "box").life is Life.RUNNING, "without locks the process tells"
    assert seen_with(False, "elsewhere").life is Life.RUNNING, "locks may hold on one node only"
    assert seen_with(False, "elsewhere", age_s=SILENT_S + 1).life is Life.SILENT


@pytest.mark.parametrize("status", [129, 130, 143])
def test_a_run_that_a_signal_stopped_is_told_as_stopped(status: int) -> None:
    seen = seen_with(False, "box", exit_status=status)
    assert seen.life is Life.ENDED and "was stopped" in seen.how


def write_run(logs: Path, name: str, began: float, last: str = "") -> Path:
    journal = logs / name / "journal.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text(f'{{"t":{began},"event":"RunStarted"}}\n{last}')
    return journal.parent


def test_runs_are_in_the_order_in_which_they_began_whatever_the_zone_of_their_names(tmp_path: Path) -> None:
    """The first in Tokyo, the second by UTC nine hours behind it."""
    write_run(tmp_path, "run-20261201-190000", 1000.0)
    newest = write_run(tmp_path, "run-20261201-100500", 1300.0)
    assert newest_run(tmp_path) == newest


@pytest.mark.parametrize("n_scans", [3, 400, 5000])
def test_a_run_of_many_scans_is_not_under_way_after_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_scans: int
) -> None:
    scans = ",".join(f'"sub-{number:06}_ses-01":"done"' for number in range(n_scans))
    journal = write_run(tmp_path, "run-20261201-100000", 1.0, f'{{"t":2,"event":"RunEnded","scans":{{{scans}}}}}\n')
    going = write_run(tmp_path, "run-20261201-100001", 1.0, '{"t":2,"event":"Notice","text":"x"}\n')
    monkeypatch.setattr("tntpipe.status.recorded_runs.is_held", lambda _path: None)
    now = journal.joinpath("journal.jsonl").stat().st_mtime
    assert others_under_way(tmp_path, tmp_path, now) == [going.name]


def test_a_process_is_there_until_it_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_began(child.pid) is not None
    assert child.stdin is not None
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process_began(child.pid) is None, "a zombie has ended"
    child.wait()
    assert process_began(child.pid) is None
