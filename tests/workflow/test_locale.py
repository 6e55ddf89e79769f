"""In a locale that knows only ASCII, nothing fails."""

import os
import subprocess
import sys

import pytest

from project import write_own_npz

ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def run(project, *arguments):
    """Run Python in the project under an ASCII locale; it must succeed. Returns what it prints."""
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=project.folder,
        env=os.environ | ASCII,
        capture_output=True,
        check=False,
    )
    output = process.stdout + process.stderr
    assert process.returncode == 0, output.decode(errors="replace")
    return output


@pytest.mark.slow
def test_names_and_signs_outside_of_ascii_fail_nothing(new_project):
    write_own_npz(new_project.folder / "own.npz")
    points = {"training.seed": [0, 1], "training.learning_rate": [0.01, 0.1]}
    new_project.configure({"dataset": "own.npz", "classes": ["süß", "数", "c"], "sweep": points})
    config = new_project.folder / "config.yaml"
    config.write_text("# Für alle\n" + config.read_text(), encoding="utf-8")
    assert rb" \xb1 0.0" in run(new_project, "-m", "snakemake", "--cores", "2")
    assert b"up to date" in run(new_project, "-m", "snakemake", "--cores", "2")


@pytest.mark.slow
def test_results_of_data_with_such_a_name_are_listed(new_project):
    write_own_npz(new_project.folder / "übung.npz")
    new_project.configure({"dataset": "übung.npz"})
    new_project.train()
    new_project.configure({})
    assert b"bung-softmax" in run(new_project, "workflow/tools/prune.py", "config.yaml")
