"""Picture files: valid, whole, and legible in number of rows."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hand_worked import BUDGET, many_scans

from tntpipe.errors import OutputError, UsageError
from tntpipe.planning.forecast import forecast
from tntpipe.planning.gantt_picture import write_picture


@pytest.mark.parametrize("n_scans", [1, 20, 200])
def test_a_png_is_one(n_scans: int, tmp_path: Path) -> None:
    write_picture(many_scans(n_scans), tmp_path / "plan.png")
    content = (tmp_path / "plan.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n") and content[-8:-4] == b"IEND"
    assert [path.name for path in tmp_path.iterdir()] == ["plan.png"]


@pytest.mark.parametrize("n_scans", [1, 200])
def test_an_svg_is_xml(n_scans: int, tmp_path: Path) -> None:
    write_picture(many_scans(n_scans), tmp_path / "plan.svg")
    assert ElementTree.parse(tmp_path / "plan.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_a_pdf_is_one(tmp_path: Path) -> None:
    write_picture(many_scans(3), tmp_path / "plan.pdf")
    assert (tmp_path / "plan.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["<&\"'>--]]>{}", "$\\frac{{1$_{}", "sub-\x01\t\n{}", "sub-\udcff{}", "sub-頭{}"])
def test_odd_letters_in_a_name_leave_the_svg_whole(name: str, tmp_path: Path) -> None:
    write_picture(many_scans(2, name), tmp_path / "plan.svg")
    ElementTree.parse(tmp_path / "plan.svg")


def test_the_same_forecast_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        write_picture(many_scans(3), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_picture_of_nothing_can_be_drawn(tmp_path: Path) -> None:
    write_picture(forecast((), BUDGET), tmp_path / "plan.png")
    assert (tmp_path / "plan.png").is_file()


@pytest.mark.parametrize("name", ["plan.jpeg", "plan"])
def test_an_ending_that_is_none_is_wrong_usage(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.png, \.svg or \.pdf"):
        write_picture(many_scans(1), tmp_path / name)


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"none/plan\.png cannot be written"):
        write_picture(many_scans(1), tmp_path / "none/plan.png")
