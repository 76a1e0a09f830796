"""Claims on scans: who may write the results of which, and what is left by runs that died."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from tntpipe.errors import BusyError
from tntpipe.store.locks import NoLocksError
from tntpipe.store.scan_claims import Claim

FOLDER = "logs/running"


def names(out: Path) -> set[str]:
    return {path.name for path in (out / FOLDER).glob("*.json")}


def test_the_same_scan_is_claimed_once_and_again_when_it_is_released(tmp_path: Path) -> None:
    first, second = Claim(tmp_path, "first"), Claim(tmp_path, "second")
    first.take(["sub-01", "sub-02"])
    with pytest.raises(BusyError, match=f"process {os.getpid()}, since 20.* of sub-02 into {tmp_path}") as caught:
        second.take(["sub-02", "sub-03"])
    assert caught.value.exit_status == 75 and names(tmp_path) == {"first.json"}
    first.release()
    second.take(["sub-02", "sub-03"])
    assert names(tmp_path) == {"second.json"}
    second.release()


def test_another_method_is_refused_and_told_by_what_differs(tmp_path: Path) -> None:
    method = {"model": "m", "parameters": {"seed": 1, "preset": "quick"}}
    first, second = Claim(tmp_path, "first"), Claim(tmp_path, "second")
    first.take(["sub-01"], method)
    with pytest.raises(BusyError, match=r"another method into .*: its preset differs\.") as caught:
        second.take(["sub-02"], method | {"parameters": {"seed": 1, "preset": "standard"}})
    assert caught.value.exit_status == 75
    second.take(["sub-02"], dict(method))
    for claim in (first, second):
        claim.release()


def test_other_scans_may_be_claimed_by_any_number_of_runs(tmp_path: Path) -> None:
    claims = [Claim(tmp_path, f"run{number}") for number in range(5)]
    for number, claim in enumerate(claims):
        claim.take([f"sub-{number}"])
    assert len(names(tmp_path)) == 5
    with pytest.raises(BusyError, match=r"sub-3"):
        Claim(tmp_path, "sixth").take(["sub-3"])
    for claim in claims:
        claim.release()


def test_many_scans_are_named_by_the_first_few(tmp_path: Path) -> None:
    scans = [f"sub-{number}" for number in range(9)]
    claim = Claim(tmp_path, "first")
    claim.take(scans)
    with pytest.raises(BusyError, match="of sub-0, sub-1, sub-2 and 6 more into"):
        Claim(tmp_path, "second").take(scans)
    claim.release()


@pytest.mark.parametrize("text", ['{"holder": "host gone, process 1", "scans": ["sub-01"]}', "{", ""])
def test_the_claim_of_a_run_that_died_is_nobodys(tmp_path: Path, text: str) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "dead.json").write_text(text)
    claim = Claim(tmp_path, "next")
    claim.take(["sub-01"])
    assert names(tmp_path) == {"next.json"}
    claim.release()


def test_half_written_files_are_swept_when_nobody_else_writes(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    left = [tmp_path / ".README.0123456789ab.tmp", tmp_path / "logs/.crash-a.txt.0123456789ab.tmp"]
    kept = [tmp_path / ".bidsignore", tmp_path / ".notes.tmp", tmp_path / "README"]
    for path in (*left, *kept):
        path.touch()
    other = Claim(tmp_path / "elsewhere", "other")
    other.take(["sub-01"])
    other.release()
    assert all(path.exists() for path in left)
    first = Claim(tmp_path, "first")
    first.take(["sub-01"])
    assert not any(path.exists() for path in left) and all(path.exists() for path in kept)
    left[0].touch()
    second = Claim(tmp_path, "second")
    second.take(["sub-02"])
    assert left[0].exists(), "it may be the first run's, which is writing it"
    second.release()
    first.release()


def test_a_claim_is_json_for_people_to_read(tmp_path: Path) -> None:
    claim = Claim(tmp_path, "first")
    claim.take(["sub-02", "sub-01"])
    content = json.loads((tmp_path / FOLDER / "first.json").read_text())
    assert content["scans"] == ["sub-01", "sub-02"] and content["holder"].startswith("host ")
    claim.release()


def test_a_file_system_without_locks_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_file: object, _kind: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(NoLocksError, match="No locks available"):
        Claim(tmp_path, "first").take(["sub-01"])
