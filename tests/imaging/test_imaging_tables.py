"""Label and tag tables: what is tolerated, what is refused, and by which line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tntpipe.errors import ExitStatus, TableError
from tntpipe.imaging.tables import Label, read_labels, read_tags, write_labels, write_table

CLASSES = (Label(1, "CSF", 3), Label(2, "GM", 1))


def table(folder: Path, content: str) -> Path:
    path = folder / "table.tsv"
    path.write_bytes(content.encode())
    return path


def refusal(read, path: Path, *words: object) -> str:
    with pytest.raises(TableError) as caught:
        read(path, *words)
    assert caught.value.exit_status == ExitStatus.BAD_DATA
    assert str(path) in caught.value.fact
    return caught.value.fact


@pytest.mark.parametrize(
    "content",
    [
        "index\tname\tmapping\n1\tCSF\t3\n2\tGM\t1\n",
        "\ufeffindex\tname\tmapping\r\n1\tCSF\t3\r\n2\tGM\t1\r\n",
        "name\tcolor\tmapping\tindex\nCSF\t#fff\t3\t1\n\nGM\tn/a\t1\t2",
    ],
    ids=["plain", "byte order mark and CRLF", "other order, more columns, blank line, no last newline"],
)
def test_a_label_table_is_read_as_it_comes(tmp_path, content):
    assert read_labels(table(tmp_path, content)) == CLASSES


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "line 1: has no column index, name"),
        ("index,name\n1,CSF\n", "line 1: has no column index, name"),
        ("index\tlabel\n1\tCSF\n", "line 1: has no column name"),
        ("index\tname\n1\tCSF\n1\tGM\n", "line 3: index 1 is given twice"),
        ("index\tname\n1\tCSF\n2\tCSF\n", "line 3: name CSF is given twice (also on line 2)"),
        ("index\tname\n1.5\tCSF\n", "line 2: '1.5' is not an index"),
        ("index\tname\n-1\tCSF\n", "line 2: '-1' is not an index"),
        ("index\tname\nn/a\tCSF\n", "line 2: 'n/a' is not an index"),
        ("index\tname\n1\t\n", "line 2: label 1 has no name"),
        ("index\tname\n1\n", "line 2: has 1 columns, the first line has 2"),
        ("index\tname\n", "lists no label other than 0"),
        ("index\tname\n0\tbackground\n", "lists no label other than 0"),
    ],
)
def test_a_label_table_that_is_wrong_is_refused_by_line(tmp_path, content, words):
    assert words in refusal(read_labels, table(tmp_path, content))


def test_a_table_that_is_not_there_or_not_text_is_refused(tmp_path):
    assert "cannot be read (No such file" in refusal(read_labels, tmp_path / "no.tsv")
    (tmp_path / "binary.tsv").write_bytes(b"\x1f\x8b\xff\xfe")
    assert "is not text in UTF-8" in refusal(read_labels, tmp_path / "binary.tsv")


def test_labels_read_back_as_written(tmp_path):
    labels = (Label(1, "CSF"), Label(2, "GM", 1))
    write_labels(tmp_path / "labels.tsv", labels)
    assert (tmp_path / "labels.tsv").read_text() == "index\tname\tmapping\n1\tCSF\tn/a\n2\tGM\t1\n"
    assert read_labels(tmp_path / "labels.tsv") == labels


def tags(n_csf: int, n_gm: int, more: str = "") -> str:
    return "x\ty\tz\tindex\n" + "1\t-2.5\t3e1\t1\n" * n_csf + "0\t0\t0\t2\n" * n_gm + more


def test_tags_are_read_in_their_order(tmp_path):
    read = read_tags(table(tmp_path, tags(20, 20)), CLASSES)
    assert read.points[0] == (1.0, -2.5, 30.0)
    assert read.indices == (1,) * 20 + (2,) * 20


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (tags(19, 20), "class 1 (CSF) has 19 tags, at least 20 are needed"),
        (tags(20, 0), "class 2 (GM) has 0 tags"),
        (tags(20, 20, "1\t1\t1\t3\n"), "line 42: index 3 is not in the table of classes"),
        (tags(20, 20, "1\tnan\t1\t2\n"), "line 42: 'nan' is not a coordinate"),
        (tags(20, 20, "1\tinf\t1\t2\n"), "line 42: 'inf' is not a coordinate"),
        (tags(20, 20, "1\t\t1\t2\n"), "line 42: '' is not a coordinate"),
        ("x\ty\tindex\n1\t1\t1\n", "line 1: has no column z"),
    ],
)
def test_tags_that_are_wrong_are_refused_by_line(tmp_path, content, words):
    assert words in refusal(read_tags, table(tmp_path, content), CLASSES)


def test_tags_without_a_table_of_classes_need_as_many_of_each_class_that_is_there(tmp_path):
    assert "class 2 has 3 tags" in refusal(read_tags, table(tmp_path, tags(20, 3)))
    assert "holds no tags" in refusal(read_tags, table(tmp_path, tags(0, 0)))


def test_what_is_missing_is_written_so_and_numbers_read_back_the_same(tmp_path):
    write_table(tmp_path / "t.tsv", ("a", "b", "c", "d"), [(1 / 3, 7, None, math.nan), (1e300, 0, "x", -0.1)])
    assert (tmp_path / "t.tsv").read_text() == "a\tb\tc\td\n0.3333333333333333\t7\tn/a\tn/a\n1e+300\t0\tx\t-0.1\n"
