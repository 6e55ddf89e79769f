"""Results of version 1, which had other records."""

import shutil

from expected import EVERYTHING, once
from project import planned


def test_they_are_recognised_and_made_again_unless_they_are_accepted(project):
    shutil.rmtree(project.results / ".traces")
    for record in [*project.results.rglob(".*.record")]:
        record.rename(record.with_suffix(".fingerprint")).write_text('{"settings": {}}')
    output = project.run("--dry-run")
    assert output.count("was made by version 1 of this workflow") == 1
    assert planned(output) == once(EVERYTHING)
    project.run("--touch")
    output = project.run("--dry-run")
    assert planned(output) == {}
    assert "version 1" not in output
    # An edit of code that accepted results may have used is seen.
    plots = project.folder / "workflow/scripts/scratchnet/evaluation/plots.py"
    plots.write_text(plots.read_text().replace("capitalize()} by", "title()} by"))
    assert project.plan()["plot_history"] == 1
