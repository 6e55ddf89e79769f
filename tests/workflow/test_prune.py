"""`make prune`: the folders that no configuration reaches go, and nothing else."""

from snakefresh.__main__ import find_unused_traces

import pytest

from scratchnet.lock import lock_results

pytestmark = pytest.mark.slow


def prune(project, *arguments):
    """What `make prune` does, in the project's folder."""
    return project.tool("prune.py", "config.yaml", *arguments)


def files(project):
    """All files but traces."""
    found = {path for path in project.results.rglob("*") if not path.is_dir()}
    return {path for path in found if path.parent.name != ".traces"}


@pytest.fixture
def piled_up(project):
    """A project with the results of its configuration and of an earlier one (seed 5)."""
    (project.folder / "earlier.yaml").write_text("training: {seed: 5}\nvalidation_fraction: 0.25\n")
    before = files(project)
    project.run("--configfile", "earlier.yaml")
    project.run()
    return project, before


def test_everything_that_is_made_is_reached_by_its_configuration(finished, finished_on_request):
    for project in (finished, finished_on_request):
        assert "0.0 MB in 0 files" in prune(project).stdout


def test_what_was_made_on_request_goes_with_its_run_but_predictions_stay(project_on_request):
    predicted = {*project_on_request.results.glob("predictions/*/*")}
    assert {path.name for path in predicted} == {
        "predictions.csv",
        "contact_sheet.json",
        "contact_sheet.png",
        ".predictions.csv.record",
        ".contact_sheet.png.record",
    }
    project_on_request.configure({"training": {"seed": 5}})
    assert prune(project_on_request, "--delete").returncode == 0
    assert not any((project_on_request.results / "runs").iterdir())
    assert {*project_on_request.results.glob("predictions/*/*")} == predicted
    assert any(project_on_request.results.glob("logs/predict_images/*"))


def test_what_the_configurations_do_not_reach_is_deleted_if_asked_for(piled_up):
    project, before = piled_up
    after = files(project)
    process = prune(project)
    assert process.returncode == 0
    assert f"in {len(after - before)} files" in process.stdout
    assert files(project) == after
    # What another configuration reaches over the first stays.
    assert prune(project, "earlier.yaml", "--delete").returncode == 0
    assert files(project) == after
    assert prune(project, "--delete").returncode == 0
    assert files(project) == before
    assert find_unused_traces(project.results) == []
    assert project.plan() == {}


def test_what_is_not_the_pipelines_stays(piled_up):
    project, before = piled_up
    mine = [
        project.results / "data/my-photos-12345678.zip",
        project.results / "data/my-photos-20240101/one.png",
        project.results / "data/mnist/.raw-backup/thesis.txt",
        project.results / "runs/backup.npz",
        project.results / f"runs/notes/.cache-{'0123456789abcdef' * 2}.json",
        next(path for path in before if path.name == "metrics.json").parent / "notes.txt",
    ]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    assert prune(project, "--delete").returncode == 0
    assert files(project) == before | set(mine)


@pytest.mark.parametrize("name", ["results", "results/data"])
def test_what_others_may_share_through_a_link_is_listed_and_not_deleted(piled_up, name):
    project, before = piled_up
    place, elsewhere = project.folder / name, project.folder / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    after = files(project)
    process = prune(project, "--delete")
    assert process.returncode == 1
    assert f"{name} is a link to {elsewhere}, and others may use" in process.stderr
    assert " MB  mnist-softmax-" in process.stdout
    assert files(project) == after != before
    assert prune(project).returncode == 0


def test_checkpoints_beside_the_chain_are_deleted_and_those_of_it_stay(project):
    project.configure({"training": {"epochs": 6, "checkpoint_every": 2}})
    project.run()
    folder = project.run_folder / "checkpoints"
    project.configure({"training": {"epochs": 6, "checkpoint_every": 3}})
    assert prune(project, "--delete").returncode == 0
    assert sorted(path.name for path in folder.glob("*.npz")) == ["epoch-0006.npz"]


@pytest.mark.parametrize(
    "name",
    [
        f"{{data}}/.X_train-{'0123456789abcdef' * 2}.npy",
        f"mnist/.train-images-idx3-ubyte-{'0123456789abcdef' * 2}",
        f"{{data}}/.X_train.npy.record-{'0123456789abcdef' * 2}",
        f"mnist/.download-{'0123456789abcdef' * 2}-a1b_c2d3/cache/mnist.npz",
    ],
)
def test_what_a_killed_job_was_writing_is_deleted(project, name):
    (data,) = (project.results / "data").glob("mnist-*")
    rest = project.results / "data" / name.format(data=data.name)
    rest.parent.mkdir(parents=True, exist_ok=True)
    rest.write_bytes(b"half")
    assert prune(project, "--delete").returncode == 0
    assert not rest.exists()
    assert project.plan() == {}


def test_the_table_of_a_sweep_that_failed_is_deleted(project):
    table = project.results / "sweeps/seed-0123abcd/partial_summary.csv"
    table.parent.mkdir(parents=True)
    table.write_text("run\n")
    assert prune(project, "--delete").returncode == 0
    assert not table.parent.exists()


def test_nothing_is_deleted_while_a_run_is_at_work(project):
    project.configure({"training": {"seed": 5}})
    lock_results(project.results)
    before = files(project)
    process = prune(project, "--delete")
    assert process.returncode == 1
    assert "Another run is active" in process.stderr
    assert files(project) == before


def test_a_bad_configuration_deletes_nothing_and_says_why(project):
    (project.folder / "bad.yaml").write_text("training: {epoks: 3}\n")
    (project.folder / "twice.yaml").write_text("training: {seed: 5}\ntraining: {seed: 5}\n")
    before = files(project)
    for name, message in (("bad", "did you mean epochs?"), ("twice", "training is given twice")):
        process = prune(project, f"{name}.yaml", "--delete")
        assert process.returncode == 1
        assert message in process.stderr
        assert files(project) == before
