"""Results of version 1, which had other records."""

import shutil

import pytest

from expected import EVERYTHING, once
from project import planned


@pytest.fixture
def old_project(project):
    """A project with results as version 1 left them."""
    shutil.rmtree(project.results / ".traces")
    for record in [*project.results.rglob(".*.record")]:
        record.rename(record.with_suffix(".fingerprint")).write_text('{"settings": {}}')
    return project


def test_they_are_recognised_and_made_again_unless_they_are_accepted(old_project):
    output = old_project.run("--dry-run")
    assert output.count("was made by version 1 of this workflow") == 1
    assert planned(output) == once(EVERYTHING)
    old_project.run("--touch")
    output = old_project.run("--dry-run")
    assert planned(output) == {}
    assert "version 1" not in output


def test_an_edit_of_code_that_accepted_results_may_have_used_is_seen(old_project):
    old_project.run("--touch")
    plots = old_project.folder / "workflow/scripts/scratchnet/evaluation/plots.py"
    plots.write_text(plots.read_text().replace("capitalize()} by", "title()} by"))
    assert old_project.plan()["plot_history"] == 1
