"""The README's blocks of code: they run, plan and resolve as they stand.

Those that need the real images run in tests/outside.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml

from project import CHECKOUT, write_own_npz
from scratchnet.files import read_csv
from scratchnet.planning.config import resolve_runs

README = (CHECKOUT / "README.md").read_text()


def blocks(language):
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands():
    """Each command in a block of bash, as words."""
    lines = "".join(blocks("bash")).splitlines()
    parts = [part for line in lines for part in line.partition(" #")[0].split("&&")]
    return [words for words in map(shlex.split, parts) if words]


SNAKEMAKE = [words[1:] for words in commands() if words[0] == "snakemake"]


def test_commands_are_of_kinds_that_are_looked_at():
    assert {words[0] for words in commands()} == {
        *("make", "snakemake"),
        *("source", "git", "cd", "pip"),  # these are not
    }


def test_each_target_of_make_is_there():
    makefile = (CHECKOUT / "Makefile").read_text()
    for words in commands():
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:.*## ", makefile, re.MULTILINE), words


# On a cluster, and with a path to the checkout.
ELSEWHERE = ("--profile", "--snakefile")
PLANNED = [words for words in SNAKEMAKE if not {*words} & {*ELSEWHERE}]


@pytest.mark.parametrize("words", PLANNED, ids=" ".join)
def test_each_command_of_snakemake_plans(project, words):
    images = project.folder / "path/to/a/folder"
    images.mkdir(parents=True)
    shutil.copy(CHECKOUT / "docs/demo.png", images)
    project.plan(*words)


def test_each_configuration_is_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "path/to").mkdir(parents=True)
    write_own_npz(tmp_path / "path/to/mine.npz")
    for block in blocks("yaml"):
        assert resolve_runs(yaml.safe_load(block))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The folder with the library and nothing else, as `pip install` leaves it."""
    source = tmp_path_factory.mktemp("source")
    shutil.copy(CHECKOUT / "pyproject.toml", source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "workflow/scripts", source / "workflow/scripts", ignore=ignored)
    target = tmp_path_factory.mktemp("library")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", target, source]
    subprocess.run(command, check=True)
    return target


def as_a_run(block):
    """The network in ten lines with the pipeline's streams of random numbers."""
    for purpose in ('"random_normal", rng', "200, rng"):
        assert purpose in block
    block = block.replace('"random_normal", rng', '"random_normal", random_stream(0, "weights")')
    block = block.replace("200, rng", '200, random_stream(0, "shuffling", epoch)')
    return f"from scratchnet.random_streams import random_stream\n{block}"


def test_the_network_in_ten_lines_is_a_run_of_the_pipeline_bit_for_bit(new_project, library):
    (block,) = [block for block in blocks("python") if "train_epoch" in block]
    assert len([line for line in block.splitlines() if line]) == 10
    new_project.configure({"training": {"epochs": 20, "batch_size": 200}})
    new_project.run()
    results = []
    for code in (block, as_a_run(block)):
        outcome = subprocess.run(
            [sys.executable, "-c", code],
            cwd=new_project.folder,
            env=os.environ | {"PYTHONPATH": str(library), "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        results.append(re.findall(r"'loss': ([\d.e-]+)", outcome.stdout))
    history = [row["loss"] for row in read_csv(new_project.run_folder / "epoch-0020/history.csv")]
    assert results[1] == history != results[0]
    assert float(results[0][-1]) < float(results[0][0])  # as it stands, it learns too


def test_the_installed_library_is_whole(library):
    def modules(folder):
        return {path.relative_to(folder) for path in folder.rglob("*.py")}

    assert modules(library / "scratchnet") == modules(CHECKOUT / "workflow/scripts/scratchnet")


def test_the_module_in_the_readme_is_used_as_it_stands(finished, tmp_path):
    block, _ = blocks("snakemake")
    config = {"digits": {"download": {"folder": "raw"}}}
    text = "configfile: 'config.yaml'\n" + block.replace(
        "path/to/checkout", str(finished.folder)
    ).replace("rule conclude:\n", "rule conclude:\n    output: 'conclusion.txt'\n")
    (tmp_path / "Snakefile").write_text(text + '    shell: "cat {input} > {output}"\n')
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    outcome = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--dry-run", "conclude"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    for rule in ("digits_download", "digits_train", "digits_summarize", "conclude"):
        assert re.search(rf"^{rule} +1$", outcome.stdout + outcome.stderr, re.MULTILINE)


def test_the_engine_in_the_readme_is_used_as_it_stands(tmp_path):
    """Its block makes a Snakefile with a stage of tests/workflow/toy."""
    _, block = blocks("snakemake")
    toy = tmp_path / "toy"
    shutil.copytree(CHECKOUT / "tests/workflow/toy", toy)
    (clean,) = re.findall(r"^rule clean:\n(?:(?: +.*)?\n)+", (toy / "Snakefile").read_text(), re.M)
    (toy / "Snakefile").write_text(f"configfile: 'config.yaml'\n\n{block}\n\n{clean}")

    def run():
        outcome = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", "results/model.json"],
            cwd=toy,
            env=os.environ | {"PYTHONPATH": str(CHECKOUT / "workflow/scripts")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        return re.findall(r"Fitting \((.*)\)$", outcome.stdout + outcome.stderr, re.M)

    assert run() == ["for the first time"]
    config = toy / "config.yaml"
    config.write_text(config.read_text().replace("degree: 1", "degree: 2"))
    assert run() == ["degree: 1 -> 2"]
    assert run() == []
