"""A headless Chromium that remembers what a page asked for and complained about."""

import json
import shutil
from contextlib import contextmanager

import pytest
from selenium import webdriver
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput

NEEDED = pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="there is no Chromium; install it with: apt install chromium chromium-driver",
)


PHONE = {"width": 375, "height": 667}


@contextmanager
def chromium(folder, width=1200, height=900, mobile=False):
    """Yield a browser whose profile lies in `folder`, or that of a phone."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in (
        "--headless",
        "--no-sandbox",  # it refuses to run as root with one
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        f"--user-data-dir={folder}",
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    if mobile:
        metrics = {**PHONE, "pixelRatio": 1, "touch": True}
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def visit(driver, path):
    """Open the file at `path`; `complaints` are then about it alone."""
    driver.get("about:blank")
    complaints(driver)
    driver.get(path.as_uri())


def complaints(driver):
    """What went wrong since the last call: errors in the console, and requests to anywhere.

    The page may be asked for, and what it has in itself.
    """
    page = driver.current_url.partition("#")[0]
    messages = [
        entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"
    ]
    for entry in driver.get_log("performance"):
        event = json.loads(entry["message"])["message"]
        if event["method"] == "Network.requestWillBeSent":
            url = event["params"]["request"]["url"]
            if url != page and not url.startswith(("data:", "blob:")):
                messages.append(f"a request to {url}")
    return messages


def drag(driver, name, points, pointer="mouse"):
    """Draw on the element `name` through `points`, shares of its width and height."""
    box = driver.find_element("id", name).rect
    actions = ActionBuilder(driver, PointerInput(pointer, "pen"), duration=5)
    for i, (x, y) in enumerate(points):
        actions.pointer_action.move_to_location(
            int(box["x"] + x * box["width"]), int(box["y"] + y * box["height"])
        )
        if i == 0:
            actions.pointer_action.pointer_down()
    actions.pointer_action.pointer_up()
    actions.perform()
    # What is drawn is looked at before the next frame.
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
