"""Take the screenshots of the documentation (the report, the demo page): make pictures."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from browser import chromium, drag, visit
from demo_page import SEVEN


def main(report, demo, docs):
    """Write report.png, report_figure.png and demo.png into the folder `docs`."""
    with TemporaryDirectory() as profile, chromium(profile, 1200, 900) as driver:
        visit(driver, report)
        WebDriverWait(driver, 10).until(lambda d: d.find_elements(By.CSS_SELECTOR, "#app svg"))
        time.sleep(1)  # the menu fades in
        driver.save_screenshot(str(docs / "report.png"))
        driver.find_element(By.XPATH, "//nav//li//*[text()='mnist']").click()
        row = "//nav//tbody//tr[contains(., 'Confusion matrix')]"
        driver.find_elements(By.XPATH, f"{row}//a")[0].click()
        driver.find_elements(By.XPATH, f"{row}//a")[1].click()
        driver.save_screenshot(str(docs / "report_figure.png"))
        driver.set_window_size(1000, 1150)
        visit(driver, demo)
        drag(driver, "paper", SEVEN)
        driver.save_screenshot(str(docs / "demo.png"))


if __name__ == "__main__":
    main(*(Path(argument).resolve() for argument in sys.argv[1:]))
