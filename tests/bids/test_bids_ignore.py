"""What ``.bidsignore`` leaves out, beside what git does by the same patterns."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from tntpipe.bids.ignore import ignored_of, read_ignored

PATHS = tuple(
    f"{subject}/{session}anat/{subject}_{name}"
    for subject, session, name in itertools.product(
        ("sub-01", "sub-02", "sub-1"), ("", "ses-1/"), ("T1w.nii.gz", "acq-[a]_T1w.nii.gz", "T1w.nii", "#_T1w.nii")
    )
)
PATTERNS = (
    "",
    "# a comment",
    "sub-01/",
    "/sub-01",
    "sub-01",
    "sub-0?",
    "sub-0[12]/",
    "sub-0[!1]/",
    "sub-0[^1]/",
    "sub-[0-9]/",
    "*_T1w.nii",
    "*_T1w.nii*",
    "**/anat",
    "sub-01/**",
    "sub-01/**/anat/",
    "sub-*/ses-1/anat/*",
    "sub-*/anat/*.gz",
    "anat/",
    "/anat/",
    "ses-1/anat",
    "**/ses-1/**",
    "*",
    "*\n!sub-01/",
    "*_T1w.nii.gz\n!sub-01_T1w.nii.gz",
    "sub-01/\n!sub-01/anat/sub-01_T1w.nii.gz",
    "!sub-01/",
    "sub-[z-a]",
    "sub-[",
    "***",
    "sub-01/anat/",
    "sub-01/anat",
    "T1w.nii",
    ".",
)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the judge")
@pytest.mark.parametrize("patterns", PATTERNS)
def test_a_pattern_leaves_out_what_it_does_in_git(tmp_path: Path, patterns: str) -> None:
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / ".gitignore").write_text(patterns)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    command = ["git", "-C", str(tmp_path), "check-ignore", "-z", "--stdin"]
    said = subprocess.run(command, input="\0".join(PATHS), capture_output=True, text=True, check=False).stdout
    ignored = ignored_of(patterns)
    assert {path for path in PATHS if PurePosixPath(path) in ignored} == set(filter(None, said.split("\0")))


def test_a_dataset_without_the_file_leaves_nothing_out_and_one_that_is_no_text_says_what_it_can(tmp_path: Path) -> None:
    assert PurePosixPath(PATHS[0]) not in read_ignored(tmp_path)
    (tmp_path / ".bidsignore").write_bytes(b"\xff\xfe\r\nsub-01/\r\n")
    assert PurePosixPath(PATHS[0]) in read_ignored(tmp_path)
    (tmp_path / ".bidsignore").unlink()
    (tmp_path / ".bidsignore").mkdir()
    assert PurePosixPath(PATHS[0]) not in read_ignored(tmp_path)
