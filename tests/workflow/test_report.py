"""Snakemake's report, in a real browser: every result in it can be looked at."""

import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from browser import NEEDED, chromium, complaints, visit
from project import CHECKOUT

FIGURES = {
    *("Loss and accuracy by epoch", "Confusion matrix", "Misclassified images", "Calibration"),
    *("Weights", "Settings"),
}
COMPARISON = {"All runs", "Loss by epoch", "Accuracy by setting"}
WIDEST_IMAGE = """
return Math.max(...[...document.querySelectorAll("img")].map((image) => image.naturalWidth))
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


def opened(driver, project, *arguments):
    """Make the report of a project and open it; returns the text of its first page."""
    path = project.results / "report.html"
    project.run("--report", path, *arguments)
    visit(driver, path)
    heading = WebDriverWait(driver, 10).until(
        lambda d: d.find_element(By.CSS_SELECTOR, ".prose h1")
    )
    assert heading.text == "What the network learned"
    assert heading.rect["y"] >= 0  # one can scroll down, and not further up
    return driver.find_element(By.CLASS_NAME, "prose").text


def menu(driver, *names):
    """Go from the start through the menu's entries `names`."""
    driver.find_element(By.CSS_SELECTOR, "nav nav li a").click()
    for name in names:
        driver.find_element(By.XPATH, f"//nav//li//*[text()='{name}']").click()


def entries(driver):
    """The results that the menu lists, as {figure: (link to view it, link to read about it)}."""
    rows = driver.find_elements(By.CSS_SELECTOR, "nav tbody tr")
    return {
        row.find_element(By.TAG_NAME, "td").text: row.find_elements(By.TAG_NAME, "a")
        for row in rows
    }


def look_at_everything(driver, *names):
    """View each result below the menu's entries `names` and read about it; returns the figures."""
    menu(driver, *names)
    figures = set(entries(driver))
    for figure in figures:
        view, about = entries(driver)[figure]
        if view.get_attribute("href").startswith("data:"):
            assert view.get_attribute("download")
        else:
            view.click()
            WebDriverWait(driver, 10).until(lambda d: d.execute_script(WIDEST_IMAGE) >= 500)
        about.click()
        body = driver.find_element(By.TAG_NAME, "body").text
        assert "DESCRIPTION" in body and "SNAKEMAKE RULE" in body
        menu(driver, *names)
    return figures


@NEEDED
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_every_result_of_a_run_can_be_looked_at(driver, project, ending):
    project.configure({"plots": {"format": ending}})
    project.run()
    opened(driver, project)
    assert look_at_everything(driver, "mnist") == FIGURES
    assert look_at_everything(driver, "all runs") == {"All runs"}
    assert complaints(driver) == []


@NEEDED
def test_every_result_of_a_sweep_can_be_looked_at(driver, sweep_project):
    first_page = opened(driver, sweep_project, "plots")
    assert "Of the first run; the others differ in training.seed." in first_page
    runs = sorted(folder.name for folder in (sweep_project.results / "runs").iterdir())
    assert len(runs) == 2
    for run in runs:
        assert look_at_everything(driver, "mnist", run) == FIGURES
    assert look_at_everything(driver, "all runs") == COMPARISON
    assert complaints(driver) == []


@NEEDED
def test_what_is_made_on_request_can_be_looked_at_too(driver, finished_on_request):
    project = finished_on_request
    opened(driver, project, "all", "parity", "predict")
    figures = look_at_everything(driver, "mnist")
    assert figures == FIGURES | {"Parity with Keras", "Parity, in numbers"}
    assert look_at_everything(driver, "predictions") == {"Contact sheet"}
    assert complaints(driver) == []


@NEEDED
def test_the_first_page_has_results_settings_and_costs(driver, finished):
    first_page = opened(driver, finished)
    assert finished.run_folder.name in first_page
    assert re.search(r"test_accuracy", first_page)
    assert "learning_rate: 0.01\n" in first_page
    for stage in ("download", "train", "plot_weights", "summarize"):
        assert re.search(rf"^{stage} 1 [\d.]+", first_page, re.MULTILINE), stage


@NEEDED
def test_workflow_and_statistics_are_shown_without_a_complaint(driver, finished):
    opened(driver, finished)
    for name, shown in (
        ("Statistics", "canvas, svg"),
        ("Workflow", "canvas, svg"),
        ("About", "li"),
    ):
        menu(driver, name)
        assert WebDriverWait(driver, 10).until(
            lambda d, shown=shown: d.find_elements(By.CSS_SELECTOR, f"#app {shown}")
        )
    assert complaints(driver) == []


def test_a_report_of_nothing_says_what_is_missing(new_project):
    process = new_project.snakemake("--report", "report.html")
    assert process.returncode == 1
    assert "marked for report but does not exist" in process.stdout + process.stderr


def test_each_caption_is_of_a_result():
    report = CHECKOUT / "workflow" / "report"
    rules = "".join(path.read_text() for path in (CHECKOUT / "workflow/rules").glob("*.smk"))
    for path in report.glob("*.rst"):
        assert path.stem == "overview" or re.search(rf'/{path.stem}(\.\w+)?"', rules), path
