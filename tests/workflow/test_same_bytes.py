"""A stage that runs again, elsewhere and at another time, makes the same bytes.

What varies stands in a few files, which no stage reads as data but `summarize`: so nothing that
follows has to run because of it.
"""

import re
import shutil

import pytest

from project import set_key

# How long a training took, and with which software; the summary, which has that; and the source
# that the data came from.
VARYING = r"runs/.*/checkpoints/epoch-\d+\.json|summary\.csv|data/mnist/source\.json"


def contents(project):
    """{path below results/: bytes} of all results."""
    return {
        path.relative_to(project.results).as_posix(): path.read_bytes()
        for path in project.results.rglob("*")
        if path.is_file() and not path.name.startswith(".")
        if path.relative_to(project.results).parts[0]
        not in ("logs", "benchmarks", "latest", ".traces")
    }


@pytest.mark.parametrize(
    ("kind", "targets"),
    [
        pytest.param("deep_project", ["plots"], marks=pytest.mark.slow),
        ("sweep_project", ["plots"]),
        pytest.param("search_project", ["all"], marks=pytest.mark.slow),
        pytest.param(
            "project_on_request",
            ["all", "demo", "lesson", "explain", "parity", "export", "bundle"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_is_made_again_is_the_same(request, kind, targets):
    project = request.getfixturevalue(kind)
    before = contents(project)
    shutil.rmtree(project.results)
    shutil.copytree(project.folder / "raw", project.folder / "another source")
    set_key(project, "download.folder", "another source")
    project.run(*targets)
    if kind == "project_on_request":
        project.run("predict")
    after = contents(project)
    assert before.keys() == after.keys()
    different = {name for name in before if before[name] != after[name]}
    assert {name for name in different if not re.fullmatch(VARYING, name)} == set()
    has_own_data = kind == "deep_project"
    assert has_own_data or "data/mnist/source.json" in different  # so a difference would be seen
