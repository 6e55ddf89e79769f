"""`make verify`: what comes out the same in a copy is accepted, and nothing else is."""

import subprocess
import sys

import pytest

from project import EDIT, append, set_key
from scratchnet.fingerprint.records import record_path

pytestmark = pytest.mark.slow

SCRIPTS = "workflow/scripts/scratchnet"


def verify(project, *targets):
    command = [sys.executable, "workflow/tools/verify.py", *targets]
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)


def verified(project, *targets):
    """Verify, which must succeed and leave all results and their times; returns what it printed."""
    before = stamps(project)
    process = verify(project, *targets)
    assert process.returncode == 0, process.stdout + process.stderr
    assert stamps(project) == before
    assert not (project.folder / ".snakemake/verify").exists()
    return process.stdout


def stamps(project):
    """{path: (content, time)} of all results, without their records."""
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in project.results.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def repeated(output):
    """{rule: "same of all"} of what was repeated."""
    lines = [line.split(" results came out")[0] for line in output.splitlines()]
    return dict(line.split(": ") for line in lines if " of " in line and ": " in line)


def edit(project, file, text, new):
    path = project.folder / SCRIPTS / file
    assert text in path.read_text()
    path.write_text(path.read_text().replace(text, new))


def test_what_is_current_is_not_repeated(project):
    assert verified(project) == "Nothing to verify: everything is current.\n"


@pytest.mark.parametrize("kind, n", [("project", 1), ("sweep_project", 2)])
def test_after_an_edit_without_effect_what_has_changed_is_repeated_and_all_is_current(
    request, kind, n
):
    project = request.getfixturevalue(kind)
    append(project.folder / SCRIPTS / "nn/layers.py")
    output = verified(project)
    assert repeated(output).pop("train") == f"{n} of {n}"
    assert repeated(output).pop("evaluate") == f"{n} of {n}"
    assert "plot_history" not in repeated(output)
    assert all(count[0] == count[-1] for count in repeated(output).values())
    assert "Still stale" not in output
    assert project.plan() == {}


def test_nothing_behind_a_result_that_came_out_the_same_is_repeated(project):
    append(project.folder / SCRIPTS / "data/raw_splits.py")
    assert repeated(verified(project)) == {"preprocess": "1 of 1"}
    assert project.plan() == {}


def test_what_comes_out_different_stays_stale_with_what_follows(project):
    edit(project, "nn/initializers.py", "0.01 * rng", "0.02 * rng")
    append(project.folder / SCRIPTS / "data/raw_splits.py")
    plan = project.plan()
    output = verified(project)
    assert repeated(output) == {"preprocess": "1 of 1", "train": "0 of 1"}
    checkpoint = project.run_folder / "checkpoints/epoch-0004.npz"
    assert f"  different: {checkpoint.relative_to(project.folder)}\n" in output
    del plan["preprocess"]
    assert project.plan() == plan


def test_a_plot_that_comes_out_different_stays_stale_alone(project):
    set_key(project, "plots.style", "default")
    set_key(project, "plots.misclassified", 2)
    plan = project.plan()
    append(project.folder / SCRIPTS / "nn/layers.py")
    output = verified(project)
    assert repeated(output)["train"] == "1 of 1"
    assert repeated(output)["plot_weights"] == "0 of 1"
    assert project.plan() == {rule: 1 for rule in plan if rule.startswith("plot_")}


def test_a_result_that_was_not_made_from_what_is_there_is_repeated(project):
    # Other arrays than those of the training, and current: the training is behind them.
    edit(project, "data/preprocessing.py", "X /= maximum", "X /= 2 * maximum")
    project.run("--until", "preprocess")
    plan = project.plan()
    output = verified(project)
    assert repeated(output)["train"] == "0 of 1"
    assert repeated(output)["evaluate"] == "0 of 1"
    assert project.plan() == plan


def test_what_is_missing_is_not_accepted_and_neither_is_what_follows(project):
    (project.run_folder / "epoch-0004/metrics.json").unlink()
    append(project.folder / SCRIPTS / "nn/layers.py")
    assert repeated(verified(project))["train"] == "1 of 1"
    plan = project.plan()
    assert plan["evaluate"] == 1
    assert "train" not in plan


def test_a_result_without_a_record_is_not_accepted(project):
    record_path(project.run_folder / "checkpoints/epoch-0004.npz").unlink()
    assert "Accepted as current: 0\n" in verified(project)
    assert project.plan()["train"] == 1


def test_a_result_with_a_damaged_record_is_repeated(project):
    record_path(project.run_folder / "checkpoints/epoch-0004.npz").write_text("[1")
    assert repeated(verified(project))["train"] == "1 of 1"
    assert project.plan() == {}


def test_a_run_of_other_settings_is_not_made(project):
    set_key(project, "training.learning_rate", 0.5)
    plan = project.plan()
    assert "Accepted as current: 0\n" in verified(project)
    assert project.plan() == plan


def test_targets_may_be_named(project_on_request):
    append(project_on_request.folder / SCRIPTS / "predict/demo.py")
    assert "Nothing to verify" in verified(project_on_request)
    assert repeated(verified(project_on_request, "demo")) == {"make_demo": "1 of 1"}
    assert project_on_request.plan("demo") == {}


def test_if_a_stage_fails_nothing_is_accepted(project):
    append(project.folder / SCRIPTS / "nn/layers.py", EDIT)
    append(project.folder / SCRIPTS / "evaluation/evaluation.py", "\nraise OSError('broken')\n")
    plan, before = project.plan(), stamps(project)
    process = verify(project)
    assert process.returncode == 1
    assert "broken" in process.stdout + process.stderr
    assert "Nothing was accepted." in process.stderr
    assert project.plan() == plan
    assert stamps(project) == before


def test_while_a_run_is_active_nothing_is_done(project):
    (project.folder / ".snakemake/locks").mkdir(exist_ok=True)
    (project.folder / ".snakemake/locks/0.output.lock").touch()
    process = verify(project)
    assert process.returncode == 1
    assert "A run is active" in process.stderr
