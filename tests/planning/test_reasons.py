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
    assert found["Downloading"] == "no result yet"
    assert found["Training"] == "no result yet"
    assert found["Evaluating"] == "follows train"


SETTINGS = {
    "Training": {
        "training.learning_rate: 0.01 -> 0.1": {"training": {"learning_rate": 0.1}},
        "training.epochs: 4 -> 9": {"training": {"epochs": 9}},
        "model.hidden: [] -> [3], model.initializer: random_normal -> he_uniform": {
            "model": {"hidden": [3]}
        },
        "training.momentum: 0.0 -> 0.1, training.seed: 0 -> 2": {
            "training": {"momentum": 0.1, "seed": 2}
        },
        "validation_fraction: 0.0 -> 0.25": {"validation_fraction": 0.25},
    },
    "Plotting": {"plots.misclassified: 5 -> 9": {"plots": {"misclassified": 9}}},
}


@pytest.mark.parametrize("what", SETTINGS)
def test_an_edited_setting_is_named_with_both_values(project, what):
    for reason, settings in SETTINGS[what].items():
        project.configure(settings)
        assert reasons(project)[what] == reason


def test_an_edited_module_or_function_is_named(project):
    library = project.folder / "workflow/scripts/scratchnet"
    plots, layers = library / "evaluation/plots.py", library / "nn/layers.py"
    plots.write_text(plots.read_text().replace("capitalize()} by", "title()} by"))
    assert reasons(project) == {"Plotting": "plots.py: plot_history changed"}
    layers.write_text(layers.read_text() + EDIT)
    assert reasons(project)["Training"] == "workflow/scripts/scratchnet/nn/layers.py changed"


def test_a_missing_result_or_record_is_said_to_be_missing_and_a_damaged_one_is_none(project):
    plot, record = (project.run_folder / EPOCH / f for f in ("history.png", ".history.png.record"))
    plot = plot.rename(plot.with_name("aside"))
    assert reasons(project) == {"Plotting": "its result is missing"}
    plot.rename(plot.with_name("history.png"))
    for content in (b"", b'{"settings": ', b"\xff", None):
        record.write_bytes(content) if content is not None else record.unlink()
        said = {"Plotting": "there is no record of how its result was made"}
        assert reasons(project) == said


def test_a_forced_stage_runs_once_more(project):
    assert reasons(project, "--forcerun", "summarize") == {"Summarizing": "forced"}


def test_other_runs_make_another_summary(project):
    project.configure({"sweep": {"training.seed": [0, 1]}})
    assert reasons(project)["Summarizing"].startswith("rows changed")


def test_a_job_of_a_sweep_is_called_by_what_sets_its_run_apart(project):
    project.configure({"sweep": {"training.learning_rate": [0.1, 0.01], "training.seed": [0, 2]}})
    jobs = r"^Job \d+: (Training|Evaluating) (.+) (?:to|at) epoch 0004 \((.*)\)$"
    found = re.findall(jobs, project.run("-n"), re.MULTILINE)
    names = ["learning_rate 0.01, seed 2", "learning_rate 0.1, seed 0", "learning_rate 0.1, seed 2"]
    assert sorted(found) == [
        *(("Evaluating", name, "follows train") for name in names),
        *(("Training", name, "no result yet") for name in names),
    ]


def test_a_new_plot_has_no_result_yet(project):
    for file in project.run_folder.glob("epoch-0004/*history.png*"):
        file.unlink()
    assert reasons(project)["Plotting"] == "no result yet"


@pytest.mark.slow
def test_of_several_earlier_runs_the_nearest_is_named(project):
    project.configure({"sweep": {"training.seed": [0, 1, 2]}})
    project.run()
    project.configure({"training": {"seed": 2, "learning_rate": 0.5}})
    assert reasons(project)["Training"] == "training.learning_rate: 0.01 -> 0.5"
