"""Debian's Chromium, headless, for pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

FLAGS = (
    "--headless",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium(*more: str) -> Iterator[Any]:
    """Yields a browser that logs all that its console says; skips the test where there is none."""
    binary = shutil.which("chromium")
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("no browser: install Debian's packages chromium and chromium-driver")
    os.environ |= {"SE_OFFLINE": "true", "SE_AVOID_STATS": "true"}  # selenium downloads nothing
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = binary
    flags = (*FLAGS, *more, "--no-sandbox") if os.geteuid() == 0 else (*FLAGS, *more)
    for flag in flags:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options=options, service=Service(driver))
    yield browser
    browser.quit()


def opened(browser: Any, address: str, width: int, scheme: str = "light") -> Any:
    """Opens a page in a window of a width and with a preference for light or dark."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(address)
    return browser
