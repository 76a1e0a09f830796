"""The page as text: whole, self-contained, and with whatever a run brought along as text only."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from recorded_runs import ToldRun, eventful_run, run_started, used

from tntpipe.journal.events import Notice, Outcome, ScanOutcome
from tntpipe.report.write import make_report

EVIL = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)><!--&amp;{{7*7}}"
VOID = {"meta", "input", "br", "img", "link"}


class Elements(HTMLParser):
    """Every element with its attributes and text; refuses what is not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.found)


def page_of(run: ToldRun) -> str:
    return make_report(run.history(), Path("/runs/run-20260101-000000")).page


def data_of(page: str) -> dict[str, list[str]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    loaded: dict[str, list[str]] = json.loads(found[1])
    return loaded


def evil_run() -> ToldRun:
    """Every text that comes from outside is an attack."""
    started = run_started(
        command=("tntpipe", EVIL),
        ants=f"ANTs {EVIL} (native: /{EVIL})",
        budget=EVIL,
        scans={EVIL: 2},
        settings={"preset": "quick", "brain_extraction": "template", "model": EVIL, EVIL: EVIL},
        folders={"work": f"/{EVIL}"},
    )
    name = f"{EVIL.replace('/', '|')}/a"
    run = ToldRun(started).ready(0, name, variant=EVIL).start(0, name)
    run.end(1, name, Outcome.FAILED, used(1, 1, 1), message=EVIL, argv=(EVIL,), folder=EVIL)
    return run.scan_end(2, EVIL, ScanOutcome.REFUSED, EVIL).tell(3, Notice(text=EVIL, level="WARNING")).run_end(4, 1)


@pytest.mark.parametrize("run", [eventful_run(), ToldRun(), evil_run()], ids=["eventful", "empty", "evil"])
def test_every_element_is_closed_in_order_and_ids_are_unique(run: ToldRun) -> None:
    elements = Elements(page_of(run))
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids)) > 10


def test_texts_from_outside_are_never_markup() -> None:
    evil, tame = Elements(page_of(evil_run())), Elements(page_of(eventful_run()))
    assert evil.count("script") == tame.count("script") == 3
    assert (evil.count("img"), "49" in "".join(evil.texts)) == (0, False)
    assert "".join(evil.texts).count("onerror=alert(2)") > 10
    assert all(not name.startswith("on") for _, attributes in evil.found for name in attributes)


def test_the_data_of_the_charts_survive_names_that_end_scripts() -> None:
    data = data_of(page_of(evil_run()))
    assert data["scans"] == [EVIL.replace("/", "|")]


def test_the_page_loads_nothing_and_forbids_itself_to() -> None:
    elements = Elements(page_of(eventful_run()))
    policy = next(a["content"] for tag, a in elements.found if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none';") and "http" not in policy
    assert not any("src" in attributes or tag == "link" for tag, attributes in elements.found)
    links = [attributes["href"] for tag, attributes in elements.found if tag == "a"]
    assert all(link is not None and link.startswith("#") for link in links)


def test_every_part_is_there_and_can_be_reached_from_the_top() -> None:
    elements = Elements(page_of(eventful_run().tell(31, Notice(text="careful", level="WARNING"))))
    ids = {attributes.get("id") for tag, attributes in elements.found if tag == "section"}
    assert ids == {
        "summary",
        "failures",
        "timeline",
        "load",
        "steps",
        "kinds",
        "scans",
        "warnings",
        "settings",
        "methods",
        "meaning",
    }
    linked = {str(attributes["href"])[1:] for tag, attributes in elements.found if tag == "a"}
    assert ids - linked == {"steps"}


def test_what_has_nothing_to_say_has_no_part() -> None:
    run = ToldRun(run_started(settings={})).scan_end(1, "s", ScanOutcome.DONE).run_end(1)
    elements = Elements(page_of(run))
    ids = {attributes.get("id") for tag, attributes in elements.found if tag == "section"}
    assert not ids & {"failures", "warnings", "methods"}


def test_charts_have_their_figures_in_words_for_those_who_do_not_see_them() -> None:
    elements = Elements(page_of(eventful_run()))
    labels = [str(a["aria-label"]) for _, a in elements.found if a.get("role") == "img"]
    assert len(labels) == 3 and "61 % of 2 were busy" in labels[1] and "5.0 GiB reserved" in labels[2]


def test_the_methods_are_those_of_the_runs_settings() -> None:
    text = " ".join("".join(Elements(page_of(eventful_run())).texts).split())
    assert "which runs ANTs (native, version 2.5.1)" in text
    assert "with the parameters of antsRegistrationSyNQuick.sh" in text
    assert "Subcortical structures were carried from the model MNI." in text and "Intracranial" not in text


def test_tight_and_wasted_are_said_and_not_only_coloured() -> None:
    text = page_of(eventful_run())
    assert "<em>tight</em>" in text and "<em>wasted</em>" in text


def test_the_slowest_scan_comes_first_and_what_all_share_last() -> None:
    run = eventful_run()
    scans = re.findall(r'<tr data-scan="([^"]*)">', page_of(run))
    assert scans == ["s", "t", "shared by all scans"]
