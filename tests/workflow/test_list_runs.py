"""`make runs`: every run in results/, and how it differs from the others."""

import csv
import io
import json
import re

import pytest

from scratchnet.files import read_csv
from scratchnet.lock import lock_results


def list_runs(project, *arguments, options=()):
    """What `make runs` does, in the project's folder."""
    return project.tool("list_runs.py", *arguments, options=options)


def rows_of(project, *arguments):
    """The rows of the table, from its CSV."""
    process = list_runs(project, "--format=csv", *arguments)
    assert (process.returncode, process.stderr) == (0, "")
    return list(csv.DictReader(io.StringIO(process.stdout)))


def test_a_search_has_its_winner_evaluated_and_its_other_trials_as_far_as_they_were_trained(
    finished_search,
):
    rows = rows_of(finished_search)
    assert len(rows) == 3
    assert [*rows[0]][:3] == ["run", "model.hidden", "training.learning_rate"]
    (winner,) = [row for row in rows if row["test_accuracy"]]
    (metrics,) = finished_search.results.glob("runs/*/epoch-*/metrics.json")
    measured = json.loads(metrics.read_text())
    assert winner["run"] == metrics.parts[-3]
    for name in ("epochs", "validation_loss", "validation_accuracy", "test_accuracy"):
        assert winner[name] == str(measured[name])
    interval = [float(winner[f"test_accuracy_{end}"]) for end in ("low", "high")]
    assert interval == measured["test_accuracy_interval"]
    (trials,) = finished_search.results.glob("searches/*/trials.csv")
    losses = {row["run"]: row["validation_loss"] for row in read_csv(trials)}
    assert {row["run"]: row["validation_loss"] for row in rows} == losses
    assert {row["note"] for row in rows if row is not winner} == {"not evaluated"}


@pytest.mark.slow
def test_runs_of_other_configurations_are_there_and_sorted_by_any_column(sweep_project):
    sweep_project.configure({"training": {"learning_rate": 0.5}, "validation_fraction": 0.25})
    sweep_project.run()
    rows = rows_of(sweep_project)
    settings = ["validation_fraction", "training.learning_rate", "training.seed"]
    assert [*rows[0]][1:4] == settings
    found = sorted(tuple(row[key] for key in settings) for row in rows)
    assert found == [("0.0", "0.01", "0"), ("0.0", "0.01", "1"), ("0.25", "0.5", "0")]
    assert rows[-1]["training.learning_rate"] == "0.5"  # the newest
    assert rows_of(sweep_project, "--sort=learning_rate")[2] == rows[-1]
    by_loss = rows_of(sweep_project, "--sort=validation_loss")
    assert [bool(row["validation_loss"]) for row in by_loss] == [True, False, False]
    accuracies = [float(r["test_accuracy"]) for r in rows_of(sweep_project, "--sort=test_accuracy")]
    assert accuracies == sorted(accuracies, reverse=True)
    assert rows_of(sweep_project, "--sort=val_loss") == by_loss
    refused = list_runs(sweep_project, "--sort=learning-rate")
    assert refused.returncode == 1
    assert "there is no such column; there are run, validation_fraction, " in refused.stderr


def test_text_fits_a_terminal_and_says_what_csv_says(finished_sweep):
    lines = list_runs(finished_sweep).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    for row in rows_of(finished_sweep):
        label, number = row["run"].rsplit("-", 1)
        low, high = (float(row[f"test_accuracy_{end}"]) for end in ("low", "high"))
        (start,) = [i for i, line in enumerate(lines) if line.startswith(f"{number}  4 ")]
        assert f" {float(row['test_accuracy']):.4f} ({low:.4f}-{high:.4f})  " in lines[start]
        assert lines[start + 1] == f"  {label}  seed {row['training.seed']}"
    head, rule, *table = list_runs(finished_sweep, "--format=markdown").stdout.splitlines()
    assert head.startswith("| run | seed | epochs | val_loss | val_acc | test_accuracy |")
    assert re.fullmatch(r"\|( --- \|)+", rule)
    assert {line.count("|") for line in (head, rule, *table)} == {head.count("|")}


DAMAGE = {
    "epoch-0004/metrics.json": ['{"test_accuracy": 0.', "[]", "{}"],
    "epoch-0004/config.yaml": ["a: [", "- 1", "model: {hidden: 3, convolutions: [{}]}", "\0"],
    "checkpoints/epoch-0004.json": ["", "[1]", None],
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_runs_are_named_in_one_line(sweep_project, name):
    damaged, whole = sorted((sweep_project.results / "runs").iterdir())
    for text in DAMAGE[name]:
        (damaged / name).unlink() if text is None else (damaged / name).write_text(text)
        process = list_runs(sweep_project, "--format=csv")
        assert process.returncode == 0
        (line,) = process.stderr.splitlines()
        assert line.endswith(f"cannot be read (`make check` says why): {damaged.name}")
        assert [row["run"] for row in csv.DictReader(io.StringIO(process.stdout))] == [whole.name]


def test_a_checkpoint_without_evaluation_may_be_damaged_or_without_its_records(sweep_project):
    first, second = sorted((sweep_project.results / "runs").iterdir())
    (first / "epoch-0004/metrics.json").unlink()
    (first / "epoch-0004/config.yaml").unlink()
    (first / "checkpoints/epoch-0004.npz").write_bytes(b"PK")
    (second / "epoch-0004/metrics.json").unlink()
    (second / "epoch-0004/config.yaml").unlink()
    (second / "checkpoints/.epoch-0004.npz.record").unlink()
    process = list_runs(sweep_project)
    assert process.returncode == 1
    line, advice = process.stderr.splitlines()
    assert line.endswith(f": {first.name}, {second.name}")
    assert advice == "There are no trained runs in results/runs; `snakemake --cores 4` trains one."


def test_it_needs_no_lock_and_loads_nothing_large(sweep_project):
    lock_results(sweep_project.results)
    process = list_runs(sweep_project, options=("-X", "importtime"))
    assert process.returncode == 0
    loaded = {line.split("|")[-1].strip() for line in process.stderr.splitlines()}
    assert "numpy" in loaded
    assert loaded.isdisjoint({"matplotlib", "tensorflow", "snakemake", "PIL"})
