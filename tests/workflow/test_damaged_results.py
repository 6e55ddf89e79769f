"""Results that are damaged while their records are intact: named, refused, deleted on request."""

import json

import pytest

from scratchnet.lock import lock_results

pytestmark = pytest.mark.slow

DAMAGED = "is damaged, or was edited by hand: delete it. Run the command again."


def check(project, *arguments):
    """What `make check` does, in the project's folder."""
    return project.tool("check.py", *arguments)


def damage(path):
    path.write_bytes(path.read_bytes()[1:])


def refused(project, path, *arguments):
    """Run Snakemake, which must name the damaged file; delete it, and run again."""
    path = path.relative_to(project.folder)
    process = project.snakemake(*arguments)
    output = process.stdout + process.stderr
    assert process.returncode == 1, output
    assert f"{path} {DAMAGED}" in output
    assert "Traceback" not in output
    (project.folder / path).unlink()
    project.run()
    project.run(*arguments)


@pytest.mark.parametrize("rung", [1, 2])
def test_a_ranking(search_project, rung):
    """Planning reads it, to know who goes on."""
    (ranking,) = search_project.results.glob(f"searches/*/rung-{rung}.csv")
    damage(ranking)
    if rung == 1:
        ranking.with_name("rung-2.csv").unlink()
    refused(search_project, ranking, "--dry-run")


@pytest.mark.parametrize("file", ["metrics.json", "weights.png", "config.yaml"])
def test_what_the_report_shows(project, file):
    path = project.run_folder / "epoch-0004" / file
    damage(path)
    refused(project, path, "--report", "report.html")


def test_a_summary_that_would_be_printed(project):
    summary = project.results / "summary.csv"
    damage(summary)
    (project.run_folder / "epoch-0004/weights.png").unlink()
    refused(project, summary)


@pytest.mark.parametrize("file", ["epoch-0004/metrics.json", "checkpoints/epoch-0004.npz"])
def test_a_network_to_predict_with(project_on_request, file):
    path = project_on_request.run_folder / file
    damage(path)
    refused(project_on_request, path, "predict")


def test_a_downloaded_file(project):
    path = project.results / "data/mnist/train-labels-idx1-ubyte"
    damage(path)
    project.configure({"validation_fraction": 0.25})
    refused(project, path)


def test_a_damaged_summary_does_not_keep_others_from_being_planned(project):
    (project.results / "summary.csv").write_text("\0")
    project.configure({"training": {"epochs": 5, "batch_size": 25}})
    project.run()


def test_check_deletes_what_is_damaged(project):
    assert check(project).returncode == 0
    metrics = project.run_folder / "epoch-0004/metrics.json"
    record = project.results / ".summary.csv.record"
    before = {path: path.read_bytes() for path in (metrics, record)}
    for path in before:
        damage(path)
    for arguments in [], ["--delete"]:
        process = check(project, *arguments)
        assert process.returncode == (not arguments)
        for path in before:
            assert f"{path.relative_to(project.folder)} is damaged" in process.stdout
            assert path.exists() == (not arguments)
    assert "2 deleted. The next run makes what is missing." in process.stdout
    project.run()
    assert check(project).stdout == "All results are what their records say.\n"
    assert metrics.read_bytes() == before[metrics]


def test_check_deletes_nothing_elsewhere(project):
    """A record may name any path, and whoever shares the results may write one."""
    victim = project.folder / "config.yaml"
    record = project.results / ".summary.csv.record"
    outputs = ("config.yaml", str(victim), "results/../config.yaml", "results/..")
    forged = json.loads(record.read_text()) | {"outputs": dict.fromkeys(outputs, "")}
    record.write_text(json.dumps(forged))
    process = check(project, "--delete")
    assert process.returncode == 1, process.stderr
    assert process.stdout.count("is not a file of this folder: look at it") == 4
    assert victim.exists()


def test_check_waits_for_no_run(project):
    damage(project.results / "summary.csv")
    assert lock_results(project.results)
    process = check(project, "--delete")
    assert process.returncode == 1
    assert "Another run is active in results/" in process.stderr
    assert (project.results / "summary.csv").exists()
