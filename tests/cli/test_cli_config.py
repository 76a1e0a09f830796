"""The configuration file: what it sets, what wins over it, and what cannot be in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tntpipe.cli.config import options_of
from tntpipe.cli.parser import make_parser
from tntpipe.cli.values import path as path_of
from tntpipe.errors import InputMissingError, UsageError

COMMAND = ("bids", "out", "participant", "--config_file", "c.toml")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_file_sets_options_by_either_spelling() -> None:
    Path("c.toml").write_text(
        'n-proc = 4\nmemory_gb = 2.5\nsubcortical = true\ndebug = false\nparticipant-labels = ["01", "02"]\n'
        'filter_session = []\nfilter_run = 1\ninormalize_const2 = [-1, 10.5]\nwork-dir = "w"\n'
    )
    options = options_of(COMMAND)
    assert (options.n_proc, options.memory_gb, options.subcortical, options.debug) == (4, 2.5, True, False)
    assert (options.participant_labels, options.filter_session, options.filter_run) == (["01", "02"], [], ["1"])
    assert (options.inormalize_const2, options.working_directory) == ([-1.0, 10.5], Path("w"))


PATH_OPTIONS = [action.dest for action in make_parser()._actions if action.type is path_of]
PATH_OPTIONS.remove("config_file")  # which is read at once


@pytest.mark.parametrize("option", PATH_OPTIONS)
def test_a_tilde_is_the_home_folder_for_every_option_that_takes_a_path(
    option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    expected = [Path("/home/somebody/x")] if option == "profiling_input_file" else Path("/home/somebody/x")
    if option in ("bids_dir", "output_dir"):
        assert getattr(options_of(["~/x", "~/x", "participant"]), option) == expected
        return
    assert getattr(options_of([*COMMAND[:3], f"--{option}=~/x"]), option) == expected
    Path("c.toml").write_text(f'{option} = "~/x"\n')
    assert getattr(options_of(COMMAND), option) == expected


def test_a_home_folder_of_nobody_is_refused_with_the_remedy() -> None:
    with pytest.raises(UsageError, match=r"~nobody-at-all is nobody's home folder; .* \./~nobody-at-all"):
        options_of([*COMMAND[:3], "--working_directory=~nobody-at-all/x"])
    assert options_of([*COMMAND[:3], "--working_directory=./~x"]).working_directory == Path("~x")


def test_what_is_typed_wins_over_the_file() -> None:
    Path("c.toml").write_text('n_proc = 4\nparticipant_labels = ["01"]\nregistration = "quick"\nfilter_run = "1"\n')
    options = options_of([*COMMAND, "--n_proc", "2", "--participant_label", "07", "--participant_label", "08"])
    assert (options.n_proc, options.participant_labels) == (2, ["07", "08"])
    assert (options.registration, options.filter_run) == ("quick", ["1"])


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("n_proc = ", "not TOML"),
        ("n_porc = 4", "--n_porc"),
        ("n_porc = false", "--n_porc"),
        ("n_proc = 0", "--n_proc"),
        ("n_proc = true", "--n_proc"),
        ("n_proc = nan", "--n_proc"),
        ("n_proc = [1, 2]", "2"),
        ("subcortical = 1", "--subcortical"),
        ('registration = "slow"', "--registration"),
        ("[resources]\nn_proc = 4", "'resources'"),
        ("help = true", "'help'"),
        ("version = true", "'version'"),
        ('config-file = "c.toml"', "'config-file'"),
        ('bids_dir = "x"', "--bids_dir"),
        ('"" = 1', "''"),
        ('"n_proc=4" = 1', "n_proc=4"),
    ],
)
def test_what_cannot_be_in_a_file_is_refused_by_name(text: str, fact: str) -> None:
    Path("c.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        options_of(COMMAND)
    assert fact in str(caught.value) and "c.toml" in str(caught.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    Path("c.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not TOML"):
        options_of(COMMAND)


def test_a_file_that_is_not_there_or_is_a_folder_is_said() -> None:
    with pytest.raises(InputMissingError, match=r"c\.toml cannot be read: No such file"):
        options_of(COMMAND)
    Path("c.toml").mkdir()
    with pytest.raises(InputMissingError, match="it is no file"):
        options_of(COMMAND)
