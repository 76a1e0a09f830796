"""The page of measured accuracy: a section for each subject and preset, which can be written again by itself."""

from __future__ import annotations

import re
from pathlib import Path

INTRODUCTION = """\
# Accuracy

Volumes against truth, measured by `python -m benchmarks.accuracy`. A cell is the median over heads and, in brackets,
the worst head; a ratio is ours over the truth. Bars are for medians unless they say "worst"; a row that lacks a head
has not met its bars.

The heads are public and not part of the repository: whole-head label maps of SynthSeg (Apache-2.0; Billot 2023, Med
Image Anal 86:102789), scans of neurolabusc's dcm_qa repositories (BSD-2) and of studyforrest (PDDL), head S1 of
pycortex, and adults of IXI (brain-development.org, CC BY-SA 3.0) with DLMUSE's labels from CBICA's NiChart_Project.
"""


def put_section(page: str, key: str, text: str) -> str:
    """The page with this section replaced, or added at the end.

    >>> put_section(put_section("# Page\\n", "a quick", "one"), "a quick", "two").count("<!-- accuracy:")
    1
    """
    begin, end = f"<!-- accuracy: {key} -->", f"<!-- end of accuracy: {key} -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    found = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if found.search(page):
        return found.sub(lambda _: section, page, count=1)
    return f"{page.rstrip()}\n\n{section}\n"


def write_section(path: Path, key: str, text: str) -> None:
    """Put a section into the page in a file, which is begun where there is none."""
    page = path.read_text(encoding="utf-8") if path.is_file() else INTRODUCTION
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(put_section(page, key, text), encoding="utf-8")
