"""The documentation: its code runs as it stands, and its tables, graphs and links are current.

Code that needs the real images runs in tests/outside.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from textwrap import dedent, indent

import pytest
import yaml

from project import CHECKOUT, write_own_images
from scratchnet.files import read_csv
from scratchnet.planning.config import resolve_runs
from scratchnet.planning.stage_settings import data_name, run_name

SCRIPTS = CHECKOUT / "workflow" / "scripts"
README = CHECKOUT / "README.md"
CONTRIBUTING = CHECKOUT / "CONTRIBUTING.md"
DOCS = CHECKOUT / "docs"
PAGES = [README, CONTRIBUTING, *sorted(DOCS.glob("*.md"))]
LINKING = [*PAGES, CHECKOUT / "CHANGELOG.md", CHECKOUT / "results/README.md"]
each_page = pytest.mark.parametrize(
    "page", LINKING, ids=lambda page: page.relative_to(CHECKOUT).as_posix()
)


def blocks(language, *pages):
    """The code blocks of a language in `pages`, or in all pages, without their indentation."""
    texts = (page.read_text() for page in pages or PAGES)
    pattern = re.compile(rf"^ *```{language}\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
    return [dedent(block) for text in texts for block in pattern.findall(text)]


def commands():
    """Each command in a block of bash, as a tuple of words; no command twice."""
    lines = "".join(blocks("bash")).splitlines()
    parts = [part for line in lines for part in line.partition(" #")[0].split("&&")]
    return list(dict.fromkeys(tuple(words) for words in map(shlex.split, parts) if words))


SNAKEMAKE = [words[1:] for words in commands() if words[0] == "snakemake"]


def test_all_kinds_of_commands_are_known():
    assert {words[0] for words in commands()} == {
        "make",
        "snakemake",
        "source",
        "git",
        "cd",
        "cp",
        "pip",
        "export",  # these are not checked
    }


@each_page
def test_each_target_of_make_exists(page):
    targets = re.findall(r"^([a-z-]+):.*## ", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    in_blocks = re.findall(r"^make ([a-z-]+)", "".join(blocks("bash", page)), re.MULTILINE)
    in_text = re.findall(r"`make ([a-z-]+)", page.read_text())
    assert {*in_blocks, *in_text} <= {*targets}


# On a cluster, and with a path to the checkout.
ELSEWHERE = ("--profile", "--snakefile")
PLANNED = [words for words in SNAKEMAKE if not {*words} & {*ELSEWHERE}]


@pytest.mark.parametrize("words", PLANNED, ids=" ".join)
def test_each_command_of_snakemake_works(project, words):
    images = project.folder / "path/to/a/folder"
    images.mkdir(parents=True)
    shutil.copy(DOCS / "demo.png", images)
    if "--report" in words:
        project.run(*words)
        assert (project.folder / words[words.index("--report") + 1]).is_file()
    else:
        project.plan(*words, env={"MLFLOW_TRACKING_URI": "http://localhost:5000"})


def test_each_configuration_is_valid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_own_images(tmp_path / "path/to/flowers")
    assert len(blocks("yaml")) >= 5
    for block in blocks("yaml"):
        assert resolve_runs(yaml.safe_load(block))


# ---- The library and the engine.


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The folder with the library and nothing else, as `pip install` leaves it."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SCRIPTS, source / "workflow/scripts", ignore=ignored)
    target = tmp_path_factory.mktemp("library")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", target, source]
    subprocess.run(command, check=True)
    return target


def as_pipeline(block):
    """The network in ten lines with the pipeline's streams of random numbers."""
    for purpose in ('"random_normal", rng', "200, rng"):
        assert purpose in block
    block = block.replace('"random_normal", rng', '"random_normal", random_stream(0, "weights")')
    block = block.replace("200, rng", '200, random_stream(0, "shuffling", epoch)')
    return f"from scratchnet.random_streams import random_stream\n{block}"


@pytest.mark.slow
def test_the_network_in_ten_lines_is_a_run_of_the_pipeline_bit_for_bit(new_project, library):
    (block,) = [block for block in blocks("python") if "train_epoch" in block]
    assert len([line for line in block.splitlines() if line]) == 10
    new_project.configure({"training": {"epochs": 20, "batch_size": 200}})
    new_project.run()
    results = []
    for code in (block, as_pipeline(block)):
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


def test_the_installed_library_is_complete(library):
    def modules(folder):
        return {path.relative_to(folder) for path in folder.rglob("*.py")}

    expected = {path for path in modules(SCRIPTS / "scratchnet") if path.parts[0] != "planning"}
    assert modules(library / "scratchnet") == expected


def test_the_module_works_as_documented(finished, tmp_path):
    (block,) = blocks("snakemake", DOCS / "interop.md")
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


# ---- The recipes.


@pytest.mark.slow
def test_a_plot_is_added_as_documented(project):
    function, script, stage = blocks("python", CONTRIBUTING)
    (rule,), (caption,) = blocks("snakemake", CONTRIBUTING), blocks("rst", CONTRIBUTING)
    workflow = project.folder / "workflow"
    for path, addition in (
        ("scripts/scratchnet/evaluation/plots.py", f"\n\n{function}"),
        ("scripts/plot_recall.py", script),
        ("rules/plots.smk", f"\n\n{rule}"),
        ("report/recall.rst", caption),
    ):
        with (workflow / path).open("a") as file:
            file.write(addition)
    stages = workflow / "scripts/scratchnet/planning/stage_settings.py"
    before, after = '    "make_demo": ', indent(stage, "    ")
    assert before in stages.read_text()
    stages.write_text(stages.read_text().replace(before, after + before))
    project.run()
    assert (project.run_folder / "epoch-0004/recall.png").stat().st_size > 1000
    assert project.plan() == {}
    project.configure({"plots": {"style": "dark_background"}})
    assert project.plan()["plot_recall"] == 1


# ---- What the pages say of the code.


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 180


def test_the_rule_graph_is_current():
    outcome = subprocess.run(
        [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", outcome.stdout))
    pairs = re.findall(r"(id\d+) --> (id\d+)", outcome.stdout)
    edges = {(names[a], names[b]) for a, b in pairs if names[b] != "all"}
    (drawn,) = blocks("mermaid", DOCS / "results.md")
    shown = set(re.findall(r"(\w+) --> (\w+)", drawn))
    lines = "\n".join(f"    {a} --> {b}" for a, b in sorted(edges))
    assert shown == edges, f"the graph in docs/results.md needs these lines:\n{lines}"
    assert set(re.findall(r"\w+", drawn)) >= set(names.values()) - {"all"}


def test_each_dependency_has_its_reason():
    page = (DOCS / "development.md").read_text().partition("## Dependencies")[2]
    groups = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["dependency-groups"]
    rows = re.findall(r"^\| (.*?) \| ", page, re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"[\w-]+", row)}
    for line in chain(*groups.values()):
        if isinstance(line, str):
            name = re.match(r"[\w-]+", line).group()
            assert name in explained, f"docs/development.md: say why {name} is needed"


def test_the_map_has_every_module():
    page = (DOCS / "development.md").read_text()
    rows = dict(re.findall(r"^\| (?:`(\w+)/`|\(root\)) \| (.*) \|$", page, re.MULTILINE))
    library = SCRIPTS / "scratchnet"
    for path in library.rglob("*.py"):
        if path.name != "__init__.py":
            package = path.parent.name if path.parent != library else ""
            assert f"`{path.name}`" in rows[package], f"docs/development.md: add {path.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_paths_in_a_page_exist(page):
    packages = [path.name for path in (SCRIPTS / "scratchnet").iterdir() if path.is_dir()]
    places = dict.fromkeys(["workflow", "tests", "docs", "profiles"], CHECKOUT)
    places |= dict.fromkeys(packages, SCRIPTS / "scratchnet")
    for name in re.findall(r"`(\w+/[\w./-]*)`", page.read_text()):
        top = name.partition("/")[0]
        if top in places and "recall" not in name:  # the plot that CONTRIBUTING.md adds
            assert (places[top] / name).exists(), name


def test_the_recipes_name_what_is_there():
    text = " ".join(CONTRIBUTING.read_text().split())
    named = re.findall(r"`([\w.]+)` in `([\w./]+)`", text)
    assert len(named) >= 10
    for name, path in named:
        *_, last = name.split(".")
        assert re.search(rf"\b{last}\b", (CHECKOUT / path).read_text()), f"{name} in {path}"


@each_page
def test_links_hold(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_every_picture_is_shown():
    pages = "\n".join(page.read_text() for page in PAGES)
    for path in chain(DOCS.glob("*.png"), DOCS.glob("*.jpg")):
        assert re.search(rf"\((docs/)?{re.escape(path.name)}\)", pages), f"{path.name} is not shown"


def test_the_folders_of_the_default_run_are_named_as_they_are():
    (settings,) = resolve_runs({})
    text = "\n".join(page.read_text() for page in PAGES)
    assert set(re.findall(r"data/(mnist-[0-9a-f]{8})", text)) == {data_name(settings)}
    assert set(re.findall(r"results/runs/(mnist-[\w-]+)/epoch-0020", text)) == {run_name(settings)}
