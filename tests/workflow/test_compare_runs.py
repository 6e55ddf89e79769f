"""`make compare`: two runs, named in any way, side by side."""

import subprocess

import pytest

from scratchnet.files import read_csv, read_json

ADAM = {"training": {"optimizer": "adam", "learning_rate": 0.1}}


def compare(project, *names):
    """What `make compare RUNS="..."` does, in the project's folder."""
    return project.tool("compare_runs.py", *names)


def refused(project, *names):
    process = compare(project, *names)
    assert (process.returncode, process.stdout) == (1, "")
    (line,) = process.stderr.splitlines()
    return line


def git(project, *arguments):
    options = ["-c", "user.name=a", "-c", "user.email=a"]
    command = ["git", *options, *arguments]
    subprocess.run(command, cwd=project.folder, check=True, capture_output=True)


@pytest.fixture
def two_runs(project):
    """A project with the runs of two commits of config.yaml; returns it and their names."""
    first = project.run_folder.name
    git(project, "init")
    git(project, "add", "config.yaml")
    git(project, "commit", "-m", "First")
    project.configure(ADAM)
    project.run()
    git(project, "commit", "-am", "Second")
    (second,) = {path.name for path in (project.results / "runs").iterdir()} - {first}
    return project, first, second


def test_two_runs_are_compared_in_text_and_pictures(two_runs):
    project, first, second = two_runs
    process = compare(project, first, second)
    assert (process.returncode, process.stderr) == (0, "")
    lines = process.stdout.splitlines()
    assert lines[:2] == [f"A: {first}/epoch-0004", f"B: {second}/epoch-0004"]
    assert "training.learning_rate  0.01  0.1" in lines
    assert "training.optimizer      sgd   adam" in lines
    assert max(map(len, lines[:-1])) <= 100
    folder = project.results / "comparisons" / f"{first}-and-{second}"
    assert lines[-1] == f"Written: {folder.relative_to(project.folder)}/"
    files = {"comparison.md", "history.png", "changed.png", "changed.csv"}
    assert {path.name for path in folder.iterdir()} == files
    a, b = (
        read_json(project.results / f"runs/{run}/epoch-0004/metrics.json")
        for run in (first, second)
    )
    difference = f"{b['test_accuracy'] - a['test_accuracy']:+.4f}"
    assert f"B - A of the accuracy: {difference}, " in process.stdout
    page = (folder / "comparison.md").read_text()
    assert "| training.optimizer | sgd | adam |" in page
    assert f" | {difference} |" in page
    assert all(row["a"] != row["b"] for row in read_csv(folder / "changed.csv"))


def test_a_run_is_called_by_a_part_of_its_name_latest_or_a_revision(two_runs):
    project, first, second = two_runs
    heads = [f"A: {first}/epoch-0004", f"B: {second}/epoch-0004"]
    for names in (
        (first[-8:], second[-4:]),
        ("HEAD~1", "HEAD"),
        (f"results/runs/{first}", "latest"),
        (f"{first[-6:]}/epoch-0004", "results/latest/epoch-0004/"),
    ):
        assert compare(project, *names).stdout.splitlines()[:2] == heads, names


def test_what_cannot_be_compared_is_said_in_a_sentence(two_runs):
    project, first, second = two_runs
    assert refused(project, first).startswith("Name two runs, as in make compare RUNS=")
    same = f"latest and HEAD are the same run, {second}/epoch-0004."
    assert refused(project, "latest", "HEAD") == same
    said = refused(project, "mnist-softmax", first)
    assert said == f"mnist-softmax is a part of several names: {', '.join(sorted([first, second]))}"
    assert refused(project, first, "nowhere").startswith("there is no run named nowhere in results")
    project.configure({"training": {"seed": 7}})
    git(project, "commit", "-am", "Not run")
    assert "HEAD asks for results/runs/mnist-softmax-" in refused(project, first, "HEAD")
    project.configure({"training": {"epoks": 7}})
    git(project, "commit", "-am", "Invalid")
    project.configure({})
    assert "did you mean epochs?" in compare(project, first, "HEAD").stderr
    metrics = project.results / f"runs/{first}/epoch-0004/metrics.json"
    metrics.write_text(metrics.read_text()[:50])
    assert refused(project, first, second).startswith(
        f"{first}/epoch-0004 cannot be read, `make check` says why: "
    )


@pytest.mark.slow
def test_a_revision_with_several_runs_asks_for_a_name(sweep_project):
    git(sweep_project, "init")
    git(sweep_project, "add", "config.yaml")
    git(sweep_project, "commit", "-m", "Sweep")
    assert "HEAD asks for 2 runs: name one, of results/runs/" in refused(
        sweep_project, "HEAD", "HEAD"
    )


@pytest.mark.slow
def test_runs_with_other_test_images_are_not_compared_image_by_image(two_runs):
    project, first, _ = two_runs
    project.configure({"dataset": "other"})
    project.run()
    process = compare(project, first, "latest")
    assert process.returncode == 0
    assert "They were tested on different images" in process.stdout
    (folder,) = (project.results / "comparisons").iterdir()
    assert {path.name for path in folder.iterdir()} == {"comparison.md", "history.png"}
