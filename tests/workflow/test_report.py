"""Snakemake's report, opened in a real browser: every result in it can be viewed."""

import re
from pathlib import PurePath

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from browser import NEEDED, chromium, complaints, visit
from project import CHECKOUT, write_own_npz
from scratchnet.planning import paths

pytestmark = pytest.mark.slow

FIGURES = {
    "Loss and accuracy by epoch",
    "Confusion matrix",
    "Misclassified images",
    "Calibration",
    "Weights",
    "Settings",
}
COMPARISON = {"All runs", "Loss by epoch", "Accuracy by setting"}
WIDEST_IMAGE = """
return Math.max(...[...document.querySelectorAll("img")].map((image) => image.naturalWidth))
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


def open_report(driver, project, *arguments):
    """Make the report of a project, open it, and return the text of its first page."""
    path = project.results / "report.html"
    project.run("--report", path, *arguments)
    visit(driver, path)
    heading = WebDriverWait(driver, 10).until(
        lambda d: d.find_element(By.CSS_SELECTOR, ".prose h1")
    )
    assert heading.text == "What the network learned"
    assert heading.rect["y"] >= 0  # otherwise it could not be scrolled into view
    return driver.find_element(By.CLASS_NAME, "prose").text


def follow_menu(driver, *names):
    """Follow the entries `names` of the menu, from the start."""
    driver.find_element(By.CSS_SELECTOR, "nav nav li a").click()
    for name in names:
        driver.find_element(By.XPATH, f"//nav//li//*[text()='{name}']").click()


def listed_results(driver):
    """Return the results in the menu: {figure: [link to the result, link to its description]}."""
    rows = driver.find_elements(By.CSS_SELECTOR, "nav tbody tr")
    return {
        row.find_element(By.TAG_NAME, "td").text: row.find_elements(By.TAG_NAME, "a")
        for row in rows
    }


def view_all(driver, *names):
    """Open each result below the menu entries `names` and its description; return the figures."""
    follow_menu(driver, *names)
    figures = set(listed_results(driver))
    for figure in figures:
        view, about = listed_results(driver)[figure]
        if view.get_attribute("href").startswith("data:"):
            assert view.get_attribute("download")
        else:
            view.click()
            WebDriverWait(driver, 10).until(lambda d: d.execute_script(WIDEST_IMAGE) >= 500)
        about.click()
        body = driver.find_element(By.TAG_NAME, "body").text
        assert "DESCRIPTION" in body and "SNAKEMAKE RULE" in body
        follow_menu(driver, *names)
    return figures


@NEEDED
def test_every_page_of_the_report_of_a_run_can_be_viewed(driver, project):
    first_page = open_report(driver, project)
    assert project.run_folder.name in first_page
    assert "test_accuracy" in first_page
    assert "learning_rate: 0.01\n" in first_page
    for stage in ("download", "train", "plot_weights", "summarize"):
        assert re.search(rf"^{stage} 1 [\d.]+", first_page, re.MULTILINE), stage
    assert view_all(driver, "mnist") == FIGURES
    assert view_all(driver, "all runs") == {"All runs"}
    for name, shown in (
        ("Statistics", "canvas, svg"),
        ("Workflow", "canvas, svg"),
        ("About", "li"),
    ):
        follow_menu(driver, name)
        assert WebDriverWait(driver, 10).until(
            lambda d, shown=shown: d.find_elements(By.CSS_SELECTOR, f"#app {shown}")
        )
    assert complaints(driver) == []


@NEEDED
def test_plots_that_are_svg_files_can_be_viewed(driver, project):
    project.configure({"plots": {"format": "svg"}})
    project.run()
    open_report(driver, project)
    assert view_all(driver, "mnist") == FIGURES
    assert complaints(driver) == []


@NEEDED
def test_every_result_of_a_sweep_can_be_viewed(driver, sweep_project):
    first_page = open_report(driver, sweep_project, "plots")
    assert "The other runs differ in training.seed." in first_page
    runs = sorted(folder.name for folder in (sweep_project.results / "runs").iterdir())
    assert len(runs) == 2
    for run in runs:
        assert view_all(driver, "mnist", run) == FIGURES
    assert view_all(driver, "all runs") == COMPARISON
    assert complaints(driver) == []


@NEEDED
def test_results_made_on_request_can_be_viewed(driver, project_on_request):
    open_report(driver, project_on_request, "all", "explain", "parity", "predict")
    figures = view_all(driver, "mnist")
    explanation = {"Saliency and occlusion", "Attacks", "Hidden units"}
    assert figures == FIGURES | explanation | {"Parity with Keras", "Parity, in numbers"}
    assert view_all(driver, "predictions") == {"Contact sheet"}
    assert complaints(driver) == []


def test_a_report_without_results_is_an_error_that_says_what_is_missing(new_project):
    process = new_project.snakemake("--report", "report.html")
    assert process.returncode == 1
    assert "marked for report but does not exist" in process.stdout + process.stderr


def test_every_result_in_the_report_has_a_caption_and_every_caption_a_result():
    rules = "".join(path.read_text() for path in (CHECKOUT / "workflow/rules").glob("*.smk"))
    outputs = re.findall(r'\b(?:reported|plot_file)\((?:paths\.(\w+)|f"(\{paths\.[^"]+)")', rules)
    stems = {PurePath(getattr(paths, name) if name else text).stem for name, text in outputs}
    captions = {path.stem for path in (CHECKOUT / "workflow" / "report").glob("*.rst")}
    assert captions == stems | {"overview"}


@NEEDED
def test_no_text_is_executed(driver, new_project):
    """Class names and paths of data: in plots, in tables, in the params of stale results."""
    end, link = "</script><script>document.title='x'</script>", "`a <javascript:alert(1)>`_"
    own = new_project.folder / f"{end}{{b}}{link}.npz"
    own.parent.mkdir(parents=True)
    write_own_npz(own)
    classes = [end + link, f"|b|_{link}", f"c{link}"]
    settings = {"dataset": str(own.relative_to(new_project.folder)), "classes": classes}
    new_project.configure(settings)
    new_project.run()
    new_project.configure(settings | {"classes": ["a", *classes[:2]]})
    first_page = open_report(driver, new_project)  # of stale results: their params have settings
    assert "classes never predicted: " in first_page
    assert not driver.find_elements(By.CSS_SELECTOR, "a[href*=alert]")
    assert driver.title == "Snakemake Report"
    assert complaints(driver) == []
