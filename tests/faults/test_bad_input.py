"""Bad input ends with a documented status and one message, good input is accepted; the cases are in `bad_input`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bad_input.case import Case, faults_of
from bad_input.place import make_heads, make_place
from bad_input.running import remembered, run_here, words_of
from bad_input.table import CASES


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    with remembered():
        yield make_heads(tmp_path_factory.mktemp("heads"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.name))
def test_bad_input_ends_with_one_message_and_touches_nothing(
    case: Case, heads: dict[str, Path], tmp_path: Path
) -> None:
    place = make_place(tmp_path / "root", heads)
    ended = run_here(place, words_of(place, case.arrange(place)))
    faults = faults_of(case, ended)
    assert not faults, "\n".join([*faults, ended.said])


def test_there_are_two_hundred_cases_and_each_has_a_name_of_its_own() -> None:
    names = [case.name for case in CASES]
    assert len(names) >= 200 and len(set(names)) == len(names)
