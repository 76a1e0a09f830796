"""A real Chromium without a screen, driven by ChromeDriver; both are found, never fetched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Without these it looks for hosts of its maker at every start."""


@contextmanager
def chromium(profile: Path, width: int = 1280, height: int = 900) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile in a folder, which records what it says and asks for."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (*QUIET, f"--window-size={width},{height}", f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        driver.get("about:blank")
        yield driver
    finally:
        driver.quit()


def said(driver: webdriver.Chrome) -> list[str]:
    """What the console said since the last call."""
    return [str(entry["message"]) for entry in driver.get_log("browser")]


def asked_for(driver: webdriver.Chrome) -> list[str]:
    """The addresses that a page from a file asked for since the last call."""
    told: list[dict[str, Any]] = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    requests = [entry["params"] for entry in told if entry["method"] == "Network.requestWillBeSent"]
    return [str(r["request"]["url"]) for r in requests if str(r.get("documentURL", "")).startswith("file:")]


def set_media(driver: webdriver.Chrome, scheme: str, width: int, height: int = 900) -> None:
    """Have the next page believe in a colour scheme and a size."""
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
