"""The page in a real browser: silent, self-contained, and doing what its controls say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, DRIVER, asked_for, chromium, said, set_media
from recorded_runs import ToldRun, eventful_run
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from test_page import EVIL, evil_run

from tntpipe.report.write import make_report

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="the page is looked at in a real browser, and there is no Chromium with its driver on PATH (Debian: "
    "apt-get install chromium chromium-driver)",
)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def show(driver: webdriver.Chrome, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Shows the page of a run, from a file, at a width and in a colour scheme; where the file is."""

    def shown(run: ToldRun, width: int = 1280, scheme: str = "light") -> str:
        page = tmp_path / "a run, 100% #1/report.html"
        page.parent.mkdir(exist_ok=True)
        page.write_text(make_report(run.history(), page.parent).page, encoding="utf-8")
        set_media(driver, scheme, width)
        said(driver), asked_for(driver)
        driver.get(page.as_uri())
        return page.as_uri()

    return shown


def value(driver: webdriver.Chrome, expression: str) -> object:
    return driver.execute_script(f"return {expression}")


@pytest.mark.parametrize(
    ("run", "width", "scheme"),
    [
        (eventful_run(), 390, "light"),
        (eventful_run(), 1280, "dark"),
        (eventful_run(), 2400, "light"),
        (ToldRun(), 1280, "light"),
        (evil_run(), 390, "dark"),
    ],
    ids=["narrow", "dark", "wide", "empty", "evil"],
)
def test_the_page_says_nothing_asks_for_nothing_and_fits(show, driver, run, width, scheme) -> None:  # type: ignore[no-untyped-def]
    address = show(run, width, scheme)
    assert value(driver, "document.documentElement.dataset.theme") == scheme
    assert value(driver, "Number(document.documentElement.dataset.ready) > 0")
    assert value(driver, "document.documentElement.scrollWidth <= window.innerWidth")
    assert value(driver, "document.querySelectorAll('canvas').length") == 3
    assert (said(driver), asked_for(driver)) == ([], [address])


def test_the_page_may_not_connect_to_anything(show, driver) -> None:  # type: ignore[no-untyped-def]
    show(eventful_run())
    refused = driver.execute_async_script(
        "const done = arguments[0];"
        "document.addEventListener('securitypolicyviolation', (event) => done(event.violatedDirective));"
        "fetch('http://127.0.0.1:9/').catch(() => setTimeout(() => done('not by the policy'), 500));"
    )
    assert refused == "connect-src"


def test_names_from_outside_stay_text_in_all_that_scripts_make(show, driver) -> None:  # type: ignore[no-untyped-def]
    show(evil_run())
    driver.execute_script("document.querySelector('#scans-table tbody th button').click()")
    name = EVIL.replace("/", "|")
    assert driver.find_element(By.ID, "steps-title").text == f"Steps of {name}"
    hover(driver, "timeline-chart", 0.2, 0.3)
    assert name in driver.find_element(By.CSS_SELECTOR, ".tip b").text
    assert value(driver, "document.querySelectorAll('img').length") == 0
    assert said(driver) == []


def hover(driver: webdriver.Chrome, chart: str, x: float, y: float) -> None:
    """Point at a place of a chart, in parts of its width and height."""
    element = driver.find_element(By.ID, chart)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    size = element.size
    ActionChains(driver, duration=0).move_to_element_with_offset(
        element, round((x - 0.5) * size["width"]), round((y - 0.5) * size["height"])
    ).perform()


def test_a_step_that_is_chosen_in_the_timeline_shows_the_steps_of_its_scan(show, driver) -> None:  # type: ignore[no-untyped-def]
    show(eventful_run())
    hover(driver, "timeline-chart", 0.2, 0.15)
    ActionChains(driver, duration=0).click().perform()
    cells = [row.text.split() for row in driver.find_elements(By.CSS_SELECTOR, "#steps-table tbody tr")]
    assert [(words[0], words[1], words[-1]) for words in cells] == [
        ("a", "1", "done"),
        ("b", "1", "memory"),
        ("b", "2", "done"),
        ("c", "1", "3"),
    ]


def test_every_bar_is_drawn_in_the_colour_of_how_it_ended(show, driver) -> None:  # type: ignore[no-untyped-def]
    """The colours at the middles of a's bar, of b's that was run again, and of c's that failed."""
    show(eventful_run())
    at = driver.execute_script(
        "const canvas = document.querySelector('#timeline-chart canvas'), context = canvas.getContext('2d');"
        "const [left, right] = [150, canvas.width - 36];"
        "const row = Math.round(8 + 0.25 * (canvas.height - 60));"
        "const colour = (x) => [...context.getImageData(x, row, 1, 1).data.slice(0, 3)].join();"
        "const place = (seconds) => Math.round(left + (right - left) * seconds / 30);"
        "const around = (x) => [...new Set(Array.from({length: 12}, (_, i) => colour(x + i - 6)))];"
        "return [5, 13, 21, 11].map((seconds) => around(place(seconds)));"
    )
    done, again, failed, wait = at
    assert len(done) == 1 and failed == ["214,39,40"] and wait == ["184,191,202"]
    assert len(again) > 2 and "255,255,255" in again


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("+", (25, 75)),
        (Keys.ARROW_RIGHT, (0, 100)),
        ("+-", (0, 100)),
        ("++" + Keys.ARROW_LEFT, (31.25, 56.25)),
        ("++0", (0, 100)),
    ],
)
def test_keys_move_all_charts_at_once(show, driver, key, shown) -> None:  # type: ignore[no-untyped-def]
    show(eventful_run())
    driver.find_element(By.ID, "cpus-chart").send_keys(key)
    zooms = driver.execute_script(
        "return [timeline.chart, ...load.charts].map((chart) =>"
        " chart.getModel().getComponent('dataZoom', 0).getPercentRange())"
    )
    assert [tuple(zoom) for zoom in zooms] == [pytest.approx(shown)] * 3


def test_a_search_leaves_the_scans_that_it_names(show, driver) -> None:  # type: ignore[no-untyped-def]
    show(eventful_run())
    driver.find_element(By.ID, "find").send_keys("T")
    rows = driver.find_elements(By.CSS_SELECTOR, "#scans-table tbody tr")
    assert [row.get_attribute("data-scan") for row in rows if row.is_displayed()] == ["t"]
    assert value(driver, "timeline.chart.getModel().getComponent('yAxis').getCategories().join()") == "t"
    assert driver.find_element(By.ID, "found").text == "1 of 2 rows"


def test_rows_can_be_cpus(show, driver) -> None:  # type: ignore[no-untyped-def]
    show(eventful_run())
    driver.find_element(By.CSS_SELECTOR, "[data-rows=cores]").click()
    assert value(driver, "timeline.chart.getModel().getComponent('yAxis').getCategories()") == ["CPU 1", "CPU 2"]
    assert driver.find_element(By.CSS_SELECTOR, "[data-rows=scans]").get_attribute("aria-pressed") == "false"


def test_tables_are_sorted_by_figures_and_say_so(show, driver) -> None:  # type: ignore[no-untyped-def]
    show(eventful_run())
    column = 5  # the longest time
    button = driver.find_element(By.CSS_SELECTOR, f"#kinds thead th:nth-child({column + 1}) button")
    seen = []
    for _ in range(2):
        button.send_keys(Keys.ENTER)
        cells = driver.find_elements(By.CSS_SELECTOR, f"#kinds tbody tr > :nth-child({column + 1})")
        seen.append([float(str(cell.get_attribute("data-value"))) for cell in cells])
    assert seen == [[10, 5, 2], [2, 5, 10]]
    head = driver.find_element(By.CSS_SELECTOR, f"#kinds thead th:nth-child({column + 1})")
    assert head.get_attribute("aria-sort") == "ascending"


def test_the_theme_can_be_chosen(show, driver) -> None:  # type: ignore[no-untyped-def]
    show(eventful_run())
    before = value(driver, "getComputedStyle(document.body).backgroundColor")
    driver.find_element(By.ID, "theme").click()
    assert value(driver, "document.documentElement.dataset.theme") == "dark"
    assert value(driver, "getComputedStyle(document.body).backgroundColor") != before


def test_what_is_printed_is_light_and_has_no_controls(show, driver) -> None:  # type: ignore[no-untyped-def]
    show(eventful_run(), scheme="dark")
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert value(driver, "document.documentElement.dataset.theme") == "light"
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not driver.find_element(By.ID, "find").is_displayed()
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert said(driver) == []
