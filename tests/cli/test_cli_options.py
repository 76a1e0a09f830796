"""What each option means: its spellings, its values at their edges, and the settings that come of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tntpipe.cli.config import options_of
from tntpipe.cli.main import main
from tntpipe.cli.parser import COMMON, WITHOUT_A_DATASET, make_parser
from tntpipe.cli.settings import Asked, settings_of
from tntpipe.errors import UsageError
from tntpipe.pipeline.method import BrainExtraction

PARTICIPANTS = lambda s: s.settings.selection.participant_labels  # noqa: E731
EXCLUDED = lambda s: s.settings.selection.exclude_participant_labels  # noqa: E731
FILTERS = lambda s: tuple(map(str, s.settings.selection.filters))  # noqa: E731
WORK = lambda s: str(s.settings.folders.work)  # noqa: E731
MINIMUM = lambda s: s.settings.method.normalised_minimum  # noqa: E731
EXTRACTION = lambda s: s.settings.method.brain_extraction  # noqa: E731

SPELLINGS: tuple[tuple[str, list[str], Callable[[Asked], object], object], ...] = (
    ("--participant-labels --participant_labels --participant-label", ["sub-01", "02"], PARTICIPANTS, ("01", "02")),
    ("--participant_label", ["01"], PARTICIPANTS, ("01",)),
    ("--exclude-participant-labels --exclude_participant_label", ["sub-03"], EXCLUDED, ("03",)),
    ("--filter-session --filter_session --session-label", ["ses-01"], FILTERS, ("session 01",)),
    ("--session_label --session-id --session_id", ["01"], FILTERS, ("session 01",)),
    ("--filter-session", [], FILTERS, ("session (none)",)),
    ("--filter-acquisition --filter_acquisition", ["mprage", "x"], FILTERS, ("acquisition mprage or x",)),
    ("--filter-reconstruction --filter_reconstruction", [], FILTERS, ("reconstruction (none)",)),
    ("--filter-run --filter_run", ["2"], FILTERS, ("run 2",)),
    (
        "--skip-validation --skip_bids_validation --skip-bids-validation",
        [],
        lambda s: s.settings.selection.skip_validation,
        True,
    ),
    ("--n-proc --n_proc --nprocs --nthreads --n_cpus --n-cpus", ["3"], lambda s: s.settings.limits.n_proc, 3),
    ("--ants-n-proc --ants_n_proc --omp-nthreads", ["2"], lambda s: s.settings.limits.ants_n_proc, 2),
    ("--omp_nthreads --ants-nthreads --ants_nthreads", ["2"], lambda s: s.settings.limits.ants_n_proc, 2),
    ("--memory-gb --memory_gb --mem-gb --mem_gb", ["1.5"], lambda s: s.settings.limits.memory_gb, 1.5),
    ("--mem", ["16"], lambda s: s.settings.limits.memory_gb, 16),
    ("--mem", ["16GiB"], lambda s: s.settings.limits.memory_gb, 16),
    ("--mem", ["16000"], lambda s: s.settings.limits.memory_gb, 15.625),
    ("--mem --mem-mb", ["2048 mb"], lambda s: s.settings.limits.memory_gb, 2),
    ("--mem-mb --mem_mb", ["512"], lambda s: s.settings.limits.memory_gb, 0.5),
    ("--mem-mb", ["2G"], lambda s: s.settings.limits.memory_gb, 2),
    (
        "--working-directory --working_directory -w --work-dir --work_dir",
        ["/w"],
        lambda s: str(s.settings.folders.work),
        "/w",
    ),
    ("--clean-workdir --clean_workdir --clean-work-dir", [], lambda s: s.options.clean_work, True),
    ("--debug --sloppy", [], lambda s: s.settings.method.preset.name, "debug"),
    ("--registration", ["quick"], lambda s: s.settings.method.preset.name, "quick"),
    ("-v -vv -vvv --verbose", [], lambda s: s.options.loglevel, "DEBUG"),
    ("--loglevel", ["WARNING"], lambda s: s.options.loglevel, "WARNING"),
    ("--dry-run --dry_run --debug-io --debug_io", [], lambda s: s.dry_run, True),
    ("--graph-output --graph_output --write-graph", ["g.dot"], lambda s: str(s.graph_output), "g.dot"),
    ("--stop-on-first-crash --stop_on_first_crash", [], lambda s: s.options.stop_on_first_crash, True),
    ("--no-dashboard --no_dashboard", [], lambda s: s.options.dashboard, False),
    ("--notrack", [], lambda s: s.options.loglevel, "INFO"),
    ("--subcortical", [], lambda s: s.settings.method.subcortical, True),
    ("--intracranial-volume --intracranial_volume", [], lambda s: s.settings.method.intracranial_volume, True),
    ("--random-seed --random_seed", ["0"], lambda s: s.settings.method.random_seed, 0),
    ("--max-shear-angle --max_shear_angle", ["0.1"], lambda s: s.settings.method.max_shear_angle_rad, 0.1),
    ("--inormalize-const2 --inormalize_const2", ["-100", "100"], MINIMUM, -100),
    ("--inormalize-range --inormalize_range", ["0"], lambda s: s.settings.method.clip_percent, 0),
    (
        "--brain-extraction --brain_extraction",
        ["bet"],
        EXTRACTION,
        BrainExtraction.BET,
    ),
)


def settle(*words: str) -> Asked:
    return settings_of(options_of(["bids", "out", "participant", *words]))


@pytest.mark.parametrize(
    ("spelling", "values", "of", "expected"),
    [(word, values, of, expected) for words, values, of, expected in SPELLINGS for word in words.split()],
    ids=[" ".join([word, *values]) for words, values, _, _ in SPELLINGS for word in words.split()],
)
def test_every_spelling_of_an_option_means_the_same(
    spelling: str, values: list[str], of: Callable[[Asked], object], expected: object
) -> None:
    assert of(settle(spelling, *values)) == expected


def test_every_option_can_be_typed_with_hyphens_and_with_underscores() -> None:
    for action in make_parser()._actions:
        for spelling in action.option_strings:
            stem = spelling.lstrip("-")
            if spelling.startswith("--"):
                assert {f"--{stem.replace('_', '-')}", f"--{stem.replace('-', '_')}"} <= set(action.option_strings)


def test_an_option_typed_twice_adds_to_its_list() -> None:
    assert PARTICIPANTS(settle("--participant-label", "01", "--participant_labels", "02", "03")) == ("01", "02", "03")


def test_a_label_file_stands_for_the_labels_in_it(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("\ufeffsub-01\r\n02\r\n\r\n", encoding="utf-8")
    assert PARTICIPANTS(settle("--participant_labels", "07", str(tmp_path / "labels.txt"))) == ("07", "01", "02")


def test_an_empty_label_file_does_not_mean_everybody(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("\n")
    with pytest.raises(UsageError, match=r"labels\.txt is empty"):
        settle("--participant_labels", str(tmp_path / "labels.txt"))


def test_what_a_bare_amount_of_memory_was_taken_for_is_said() -> None:
    assert settle("--mem", "16").options.notices == ("--mem 16 is understood as 16 GiB",)
    assert settle("--mem-mb", "512").options.notices == ("--mem_mb 512 is understood as 0.5 GiB",)
    assert settle("--memory_gb", "4").options.notices == ()


NUMBERS = {
    "--n_proc": ("0", "-1", "1.5", "nan", "two", "1e3", "", "²", "9" * 5000, "2147483648"),
    "--ants_n_proc": ("0", "-2", "inf"),
    "--random_seed": ("-1", "0.5"),
    "--memory_gb": ("0", "-1", "nan", "inf", "-inf", "1e308", "lots", ""),
    "--mem": ("0", "0G", "-1", "nan", "inf", "16X", "9" * 400 + "T", ""),
    "--mem_mb": ("0", "many"),
    "--bet_frac": ("-0.1", "1.1", "nan"),
    "--bet_vertical_gradient": ("-2", "2", "nan"),
    "--inormalize_range": ("-1", "50", "nan", "inf"),
    "--max_shear_angle": ("-1", "nan", "inf"),
}


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, values in NUMBERS.items() for value in values]
)
def test_a_number_beyond_its_limits_is_refused_by_the_options_name(option: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{option}\\b") as caught:
        settle(f"{option}={value}")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("values", [("nan", "1"), ("0", "inf"), ("5", "5"), ("9", "1")])
def test_a_range_that_is_none_is_refused(values: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="inormalize_const2"):
        settle("--inormalize_const2", *values)


@pytest.mark.parametrize("columns", [60, 80, 100, 250])
def test_the_whole_help_explains_every_option_and_is_no_wider_than_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["--help", "all"]) == 0
    text, parser = capsys.readouterr().out, make_parser()
    assert max(map(len, text.splitlines())) <= min(max(columns, 80), 100), "examples may be 80 columns wide"
    for action in parser._actions:
        assert action.help
        first = next((s for s in action.option_strings if s.startswith("--")), action.metavar)
        assert re.search(rf"^  (-\w, )?{re.escape(str(first))}\b", text, re.MULTILINE), first
    for title in ("which scans", "what to compute", "how to compute it", "resources", "running"):
        assert f"\n{title}:\n" in text
    assert "exit status: 0 all well" in text


def test_the_help_is_short_and_says_how_to_see_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    shown = set(re.findall(r"^  (?:-\w, )?--(\w+)", text, re.MULTILINE))
    assert shown == set(COMMON)
    n_all = sum(bool(action.option_strings) for action in make_parser()._actions)
    assert f"{n_all - len(shown)} more options: tntpipe --help all" in text


def test_the_command_alone_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 64
    said = capsys.readouterr().err
    assert said.count("\n  tntpipe ") == 3 and "--help all" in said


@pytest.mark.parametrize("level", WITHOUT_A_DATASET)
def test_what_looks_at_the_output_alone_needs_no_dataset(
    level: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([level, str(tmp_path / "out")]) not in (17, 64, 70)
    assert str(tmp_path / "out") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "remedy"),
    [
        ("bids out participan", 17, "Did you mean participant?"),
        ("participant bids out", 17, "The level comes last: tntpipe bids out participant."),
        ("bids out participant --subcort", 64, "Did you mean --subcortical?"),
        ("bids out participant --memory-gbs 3", 64, "Did you mean --memory_gb?"),
        ("bids out participant --fs-license-file l.txt", 64, "needs no licence"),
        ("bids out participant --skull-strip-t1w force", 64, "tntpipe has --brain_extraction"),
        ("--participant_label 01 02 bids out participant", 64, "put BIDS_DIR OUTPUT_DIR LEVEL before it"),
        ("bids out", 64, "tntpipe bids out participant."),
        ("bids out participant --participant_labels bids/sub-01", 66, "type 01 for that participant"),
        ("bids out participant --help everything", 64, "is not 'all'"),
    ],
)
def test_a_slip_is_told_with_what_was_perhaps_meant(
    words: str, status: int, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == status
    said = capsys.readouterr().err
    assert remedy in said and said.count("\n") == 1


def test_many_unknown_participants_are_counted(bids: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(bids), str(tmp_path / "out"), "participant", "--participant_labels"]
    assert main([*words, *map(str, range(600, 1200))]) == 18
    assert "no participant 600, 601, 602, 603, 604 and 595 more." in capsys.readouterr().err
