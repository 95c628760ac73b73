"""A real browser for tests of pages: headless Chromium or Chrome, where there is one."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def start_browser(downloads: Path):
    """Start a browser that writes down its errors and requests, or skip the test."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    binary = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("there is no Chromium or Chrome with chromedriver to open the page in")
    options = selenium.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1440,1000"):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return selenium.Chrome(options=options, service=selenium.ChromeService(driver))


def wait_for(condition, what: str, seconds: float = 60):
    """Return what the condition gives as soon as it is something; fail after some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    pytest.fail(f"waited {seconds} s for {what}")


def wait_until_drawn(browser, of: str = ""):
    """Wait until the page has drawn a view: 'method term by label, split', a part of it, or any."""
    script = "return document.documentElement.dataset.drawn"
    wait_for(lambda: of in (browser.execute_script(script) or "\0"), f"the page to draw {of!r}")


def errors_of(browser) -> list[str]:
    """Return the errors that the browser has written to its console since the last call."""
    return [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]


def requests_of(browser) -> list[str]:
    """Return the addresses asked for since the last call."""
    entries = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    return [
        entry["params"]["request"]["url"]
        for entry in entries
        if entry["method"] == "Network.requestWillBeSent"
    ]
