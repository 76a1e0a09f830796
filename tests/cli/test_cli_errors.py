"""What the command says, and its exit status, when it cannot do what was typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import command, environment

import tntpipe.cli.main as cli
import tntpipe.cli.settings as settings
from tntpipe import __version__

MODEL = Path(cli.__file__).parents[1] / "data/models/MNI152NLin2009cAsym/tpl-MNI152NLin2009cAsym_T1w.nii.gz"
MASK = MODEL.with_name("tpl-MNI152NLin2009cAsym_desc-brain_mask.nii.gz")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a dataset that has one empty scan, and a few files that options may name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bids/sub-01/anat").mkdir(parents=True)
    (tmp_path / "bids/sub-01/anat/sub-01_T1w.nii.gz").touch()
    (tmp_path / "bids/dataset_description.json").write_text(json.dumps({"Name": "one", "BIDSVersion": "1.10.0"}))
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "latin.txt").write_bytes(b"sub-\xe9\n")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = cli.main(words)
    return status, capsys.readouterr().err


REFUSED: tuple[tuple[str, int, str], ...] = (
    ("--plan", 64, "BIDS_DIR, OUTPUT_DIR, LEVEL"),
    ("bids out", 64, "LEVEL"),
    ("bids out analyse", 17, "no level 'analyse'"),
    ("bids out participant qcmaps analyse", 17, "'qcmaps', 'analyse'"),
    ("bids out status --subcortical", 64, "--subcortical is for the level participant; status cannot use it"),
    ("bids out participant --json", 64, "--json is for the level status"),
    ("bids out status", 66, "out"),
    ("bids out status --speed 9", 64, "--speed is for a replay"),
    ("bids out status --replay --follow", 64, "--replay and --follow exclude each other"),
    ("bids out status --replay --json", 64, "--replay and --json exclude each other"),
    ("bids out participant --colour red --size 9", 64, "--colour red --size 9"),
    ("bids out participant --n_pro 2", 64, "--n_pro 2"),
    ("bids out participant --participant_labels", 64, "--participant_labels"),
    ("bids out participant --participant_labels 0_1", 64, "'0_1'"),
    ("bids out participant --participant_labels 1", 18, "no participant 1 (there is 01)"),
    ("bids out participant --participant_labels labels.txt", 66, "labels.txt"),
    ("bids out participant --participant_labels ./latin.txt", 64, "latin.txt"),
    ("bids out participant --filter_run two", 64, "run 'two'"),
    ("bids out participant --filter_session 09", 18, "session 09"),
    ("bids out participant --bids_filter_file none.json", 66, "none.json"),
    ("bids out participant --bids_filter_file broken.json", 64, "broken.json"),
    ("bids out participant –n_proc 2", 64, "U+2013"),
    ("bids out participant --participant_labels sub–01", 64, "U+2013"),
    ("bids out participant --registration slow", 64, "--registration"),
    ("bids out participant --loglevel LOUD", 64, "--loglevel"),
    ("bids out participant --bet_frac 0.4", 64, "--bet_frac"),
    ("bids out participant --bet_vertical_gradient 0", 64, "--bet_vertical_gradient"),
    ("bids out participant --brain_extraction bet --brain_mask_dir empty", 64, "--brain_mask_dir"),
    ("bids out participant --brain_mask_dir none", 66, "none"),
    ("bids out participant --mem 4G --memory_gb 4", 64, "--memory_gb"),
    ("bids out participant --mem 4G --mem_mb 4", 64, "--mem_mb"),
    (f"bids out participant --model {MODEL}", 64, "--model_space"),
    (f"bids out participant --model {MODEL} --model_space My-1 --model_brain_mask {MASK}", 64, "'My-1'"),
    (f"bids out participant --model {MODEL} --model_space T1w --model_brain_mask {MASK}", 64, "T1w"),
    (f"bids out participant --model {MODEL} --model_space A --model_brain_mask {MASK}", 64, "--atlas and --tags"),
    (f"bids out participant --model {MODEL} --model_space A --model_brain_mask none.nii", 66, "none.nii"),
    (f"bids out participant --model {MODEL.parent} --model_space A", 64, "--model_space"),
    ("bids out participant --model none.nii.gz", 66, "none.nii.gz"),
    ("bids out participant --model empty", 66, "empty"),
    ("bids out participant --model_space A", 64, "--model_space"),
    ("bids out participant --atlas none.nii.gz", 66, "none.nii.gz"),
    (f"bids out participant --atlas {MASK}", 66, "desc-brain_mask_labels.tsv"),
    ("bids out participant --atlas_labels file", 64, "file"),
    ("bids out participant --tags none.tsv", 66, "none.tsv"),
    ("bids out participant --intracranial_mask none.nii.gz --intracranial_volume", 66, "none.nii.gz"),
    (f"bids out participant --intracranial_mask {MASK}", 64, "--intracranial_volume"),
    (f"bids out participant --subcortical_atlas {MASK}", 64, "--subcortical"),
    (f"bids out participant --subcortical --subcortical_model {MODEL}", 64, "--subcortical_model_space"),
    ("none out participant", 66, "none does not exist"),
    ("file out participant", 66, "file is a file"),
    ("empty out participant", 16, "dataset_description.json"),
    ("bids bids participant", 64, "is the dataset itself"),
    ("bids bids/out participant", 64, "bids/out is inside the dataset"),
    ("bids bids/derivatives/x participant -w bids/work", 64, "bids/work is inside the dataset"),
    ("bids out participant -w out", 64, "work folder is the output folder"),
    ("bids out participant --config_file none.toml", 66, "none.toml"),
    ("bids file participant", 73, "file/work"),
)


@pytest.mark.parametrize(("line", "status", "fact"), REFUSED, ids=[line for line, _, _ in REFUSED])
def test_a_command_that_makes_no_sense_ends_with_its_status_and_one_message(
    place: Path, capsys: pytest.CaptureFixture[str], line: str, status: int, fact: str
) -> None:
    ended, text = said(capsys, *line.split())
    assert (ended, fact in text) == (status, True), text
    assert text.startswith("tntpipe: ") and "Traceback" not in text
    assert len(text.split(". ")) >= 2, "fact and remedy"
    assert not (place / "out").exists()


def test_an_empty_word_is_no_folder(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = said(capsys, "", "out", "participant")
    assert status == 64 and "BIDS_DIR" in text and "unset" in text


def test_two_models_of_one_name_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = place / "other_T1w.nii.gz"
    other.symlink_to(MODEL.with_name("tpl-MNI152NLin2009cAsym_seg-lobes_dseg.nii.gz"))
    words = ["--subcortical", "--subcortical_model", str(other), "--subcortical_model_brain_mask", str(MASK)]
    words += ["--subcortical_model_space", "MNI152NLin2009cAsym", "--subcortical_atlas"]
    words += [str(MODEL.with_name("tpl-MNI152NLin2009cAsym_seg-subcortex_dseg.nii.gz"))]
    status, text = said(capsys, "bids", "out", "participant", *words)
    assert status == 64 and "both called MNI152NLin2009cAsym" in text and "--subcortical_model_space" in text


def break_settings(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(*_words: object) -> None:
        raise error

    monkeypatch.setattr(settings, "settings_of", broken)


def test_a_bug_ends_with_status_70_and_says_where_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    break_settings(monkeypatch, ZeroDivisionError("by nought"))
    status, text = said(capsys, "bids", "out", "participant")
    assert status == 70 and "report" in text and __version__ in text and "ZeroDivisionError: by nought" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("words", "told"),
    [("-vv", True), ("-v -v", True), ("-v --verbose", True), ("-v", False), ("--loglevel DEBUG", False)],
)
def test_where_in_the_code_is_said_to_those_who_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, told: bool
) -> None:
    break_settings(monkeypatch, ZeroDivisionError())
    assert ("Traceback" in said(capsys, "bids", "out", "participant", *words.split())[1]) == told


@pytest.mark.parametrize(
    ("error", "status", "fact"),
    [
        (OSError(28, "No space left on device", "/out/x"), 74, "/out/x: No space left on device"),
        (KeyboardInterrupt(), 130, "SIGINT"),
    ],
)
def test_a_full_disk_and_an_interruption_are_no_bugs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, fact: str
) -> None:
    break_settings(monkeypatch, error)
    ended, text = said(capsys, "bids", "out", "participant", "--loglevel", "INFO")
    assert ended == status and fact in text and "Traceback" not in text


def test_a_path_in_another_encoding_can_be_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_status_of", lambda words: print("/data/\udce9") or 0)
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out == "/data/\\udce9\n"


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_help_and_version_succeed_without_anything_else(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([option]) == 0
    assert "tntpipe" in capsys.readouterr().out


def test_help_into_a_pipe_that_was_closed_is_quiet() -> None:
    pipe = subprocess.Popen(command("--help"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert pipe.stdout is not None and pipe.stderr is not None
    pipe.stdout.close()
    text = pipe.stderr.read()
    pipe.stderr.close()
    assert pipe.wait() in (0, 74) and text == b""


def test_asking_how_things_stand_before_the_run_has_begun_does_not_end_it() -> None:
    text = (
        "import os, signal, tntpipe.cli.main as cli\n"
        "cli._status_of = lambda words: os.kill(os.getpid(), signal.SIGUSR1) or 7\n"
        "cli.sys.argv = ['tntpipe', '--plan']\n"
        "cli.command()\n"
    )
    assert subprocess.run([sys.executable, "-c", text], capture_output=True).returncode == 7


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ModuleNotFoundError("No module named 'scipy'", name="scipy"), 69, "The Python package scipy cannot be loaded"),
        (ImportError("libz.so.1: cannot open shared object file"), 69, "of its own; pip check"),
        (MemoryError(), 70, "There is no memory left for tntpipe itself. End other programs"),
        (ImportError("cannot import name 'x'", name="tntpipe.bids"), 70, "an error in tntpipe"),
        (KeyError("x"), 70, "an error in tntpipe"),
    ],
)
def test_what_the_environment_is_to_blame_for_is_no_error_in_tntpipe(
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    words: str,
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "run_levels", fails)
    ended, text = said(capsys, "bids", "out", "participant")
    assert (ended, words in text) == (status, True), text
