"""`snakemake -n` says why, in words that name the setting or the file."""

import re

import pytest

from project import EDIT

EPOCH = "epoch-0004"


def reasons(project, *arguments):
    """{what would be done: why}, from the lines that `snakemake -n` prints for jobs."""
    jobs = re.findall(r"^Job \d+: (\w+).* \((.*)\)$", project.run("-n", *arguments), re.MULTILINE)
    return dict(jobs)


def test_the_first_time(new_project):
    found = reasons(new_project)
    assert found["Downloading"] == "for the first time"
    assert found["Training"] == "for the first time"
    assert found["Evaluating"] == "follows train"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"training": {"learning_rate": 0.1}}, "training.learning_rate: 0.01 -> 0.1"),
        ({"training": {"epochs": 9}}, "training.epochs: 4 -> 9"),
        (
            {"model": {"hidden": [3]}},
            "model.hidden: [] -> [3], model.initializer: random_normal -> he_uniform",
        ),
        (
            {"training": {"momentum": 0.1, "seed": 2}},
            "training.momentum: 0.0 -> 0.1, training.seed: 0 -> 2",
        ),
        ({"validation_fraction": 0.25}, "validation_fraction: 0.0 -> 0.25"),
    ],
)
def test_an_edited_setting_is_named_with_both_values(project, settings, reason):
    project.configure(settings)
    assert reasons(project)["Training"] == reason


def test_an_edited_plot_setting_is_named(project):
    project.configure({"plots": {"misclassified": 9}})
    assert reasons(project) == {"Plotting": "plots.misclassified: 5 -> 9"}


def test_an_edited_module_is_named(project):
    layers = project.folder / "workflow/scripts/scratchnet/nn/layers.py"
    layers.write_text(layers.read_text() + EDIT)
    found = reasons(project)
    assert found["Training"] == "workflow/scripts/scratchnet/nn/layers.py changed"


def test_an_edited_function_is_named(project):
    plots = project.folder / "workflow/scripts/scratchnet/evaluation/plots.py"
    plots.write_text(plots.read_text().replace("capitalize()} by", "title()} by"))
    assert reasons(project) == {"Plotting": "plots.py: plot_history changed"}


def test_a_missing_result_is_said_to_be_missing(project):
    (project.run_folder / EPOCH / "history.png").unlink()
    assert reasons(project) == {"Plotting": "its result is missing"}


def test_a_result_without_a_record_is_said_to_have_none(project):
    (project.run_folder / f"{EPOCH}/.history.png.record").unlink()
    assert reasons(project) == {"Plotting": "there is no record of how its result was made"}


@pytest.mark.parametrize("content", [b"", b'{"settings": ', b"\xff"])
def test_a_damaged_record_is_none(project, content):
    (project.run_folder / f"{EPOCH}/.history.png.record").write_bytes(content)
    assert reasons(project) == {"Plotting": "there is no record of how its result was made"}


def test_a_forced_stage_runs_once_more(project):
    assert reasons(project, "--forcerun", "summarize") == {"Summarizing": "forced"}


def test_other_runs_make_another_summary(project):
    project.configure({"sweep": {"training.seed": [0, 1]}})
    assert reasons(project)["Summarizing"].startswith("rows changed")


@pytest.mark.slow
def test_of_several_earlier_runs_the_nearest_is_named(project):
    project.configure({"sweep": {"training.seed": [0, 1, 2]}})
    project.run()
    project.configure({"training": {"seed": 2, "learning_rate": 0.5}})
    assert reasons(project)["Training"] == "training.learning_rate: 0.01 -> 0.5"
