"""Workflows in the shape of three public ones, written anew, and what it costs to adopt snakefresh.

words      Software Carpentry's: books are counted, the counts plotted and put into a table, and all
           of it archived. Scripts import one another; a program is called by a shell rule.
analysis   cookiecutter-reproducible-research's: a model is run, its results are plotted and tested.
           The report has `shadow`, so it is left alone; a script follows it.
grid       PyPSA-Eur's: rules in several files, which look up their params in the config; scripts
           that share `_helpers.py` and can be tried by hand; `run:` and `shell:`; inputs by name.
"""

import difflib
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from project import CHECKOUT, Project, share_project

WORKFLOWS = Path(__file__).parent / "workflows"
ENVIRONMENT = {
    "PYTHONPATH": str(CHECKOUT / "workflow/scripts"),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}
FOLDERS = ("results", "resources", "build")

# Lines that adoption adds to the plain workflow, and lines of it that it changes (mostly indents).
ADOPTION = {"words": (8, 8), "analysis": (10, 14), "grid": (23, 0)}


class Workflow(Project):
    """A copy of one of the workflows; an edit of it is a (path, old text, new text).

    There is no old text of a file that is new, and no new one of a file that is deleted.
    """

    def snakemake(self, *arguments, **_):
        return super().snakemake("--cores", "1", *arguments, env=ENVIRONMENT)

    def made(self, *arguments):
        """Run; return {rule: jobs} of what was planned, and the files that came out as before."""
        plan, output = self.plan(*arguments), self.run(*arguments)
        return plan, {path for path in re.findall(r"the same as before: (\S+)", output)}

    def edit(self, *edits):
        for path, old, new in edits:
            file = self.folder / path
            if old is None:
                file.write_text(new)
            elif new is None:
                file.unlink()
            else:
                assert file.read_text().count(old) == 1, f"{path}: {old}"
                file.write_text(file.read_text().replace(old, new))

    def undo(self, *edits):
        for path, old, new in reversed(edits):
            if new is None:
                shutil.copy(WORKFLOWS / self.folder.name / path, self.folder / path)
            else:
                self.edit((path, new, old))

    def contents(self):
        """{path: content} of all results that are there, without what is hidden."""
        files = [file for top in FOLDERS for file in (self.folder / top).rglob("*")]
        names = {str(file.relative_to(self.folder)): file for file in files if file.is_file()}
        return {
            name: file.read_bytes()
            for name, file in names.items()
            if "/." not in name and file.suffix != ".log"
        }


def finished(name, tmp_path_factory):
    def make(folder):
        shutil.copytree(WORKFLOWS / name, folder)
        Workflow(folder).run()

    return share_project(tmp_path_factory, f"finished {name}", make).folder


@pytest.fixture
def workflow(request, tmp_path_factory, tmp_path):
    """A copy of the workflow of this name, after it ran."""
    source = finished(request.param, tmp_path_factory)
    return Workflow(shutil.copytree(source, tmp_path / request.param, symlinks=True))


def open_finding(number):
    return pytest.mark.xfail(reason=f"findings.md, {number}", strict=False)


def of(name):
    return pytest.mark.parametrize("workflow", [name], indirect=True)


# ---- What adoption costs.


def plain(text):
    """A Snakefile or a script before snakefresh was adopted."""
    text = re.sub(r"^from snakefresh import recorded\n\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^from snakefresh import watch\n\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"\n*^watch\(.*", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"\n    with recorded\(snakemake\):\n        pass\n", "", text)
    head, adopted, block = text.partition("    with recorded(snakemake):\n")
    return head + re.sub("^    ", "", block, flags=re.MULTILINE) if adopted else text


def make_plain(source, folder):
    """Copy the sources of a workflow, without snakefresh."""
    hidden = shutil.ignore_patterns(".*", *FOLDERS, "logs", "__pycache__")
    shutil.copytree(source, folder, ignore=hidden)
    for file in [*folder.rglob("Snakefile"), *folder.rglob("*.py")]:
        file.write_text(plain(file.read_text()))
        assert "snakefresh" not in file.read_text() and "recorded" not in file.read_text()
    return Workflow(folder)


@pytest.mark.parametrize("name", ADOPTION)
def test_adoption_costs_few_lines(name):
    added = changed = 0
    for file in (WORKFLOWS / name).rglob("*"):
        if file.suffix in (".py", ".smk", "") and file.is_file():
            after = file.read_text()
            for line in difflib.ndiff(plain(after).splitlines(), after.splitlines()):
                added += line[0] == "+" and bool(line[2:].strip())
                changed += line[0] == "-" and bool(line[2:].strip())
    assert (added - changed, changed) == ADOPTION[name]


@pytest.mark.slow
@pytest.mark.parametrize("workflow", ADOPTION, indirect=True)
def test_results_are_those_of_plain_snakemake(workflow, tmp_path):
    other = make_plain(workflow.folder, tmp_path / "plain")
    other.run()
    assert workflow.contents() == other.contents()
    workflow.edit(*MANY_EDITS[workflow.folder.name])
    other.edit(*MANY_EDITS[workflow.folder.name])
    workflow.run()
    other.run("--forceall")
    assert workflow.contents() == other.contents()
    assert workflow.plan() == {}


MANY_EDITS = {
    "words": [
        ("books/winter.txt", "snows still", "still snows"),
        ("books/zoo.txt", None, "The Zoo\n\nThe bear, the owl.\n"),
        ("scripts/plot_counts.py", "SCALE = 20, 8", "SCALE = 16, 9"),
        ("config.yaml", "shortest_word: 1", "shortest_word: 2"),
    ],
    "analysis": [
        ("config/default.yaml", "x0: 5", "x0: 6"),
        ("scripts/vis.py", "SIZE = 400", "SIZE = 300"),
        ("report/report.md", "A line", "The line"),
    ],
    "grid": [
        ("config/config.yaml", "[base, co2l0.5]", "[base, co2l0.25]"),
        ("scripts/_helpers.py", "HOURS_PER_STEP = 6", "HOURS_PER_STEP = 4"),
        ("scripts/make_summary.py", "DIGITS = 3", "DIGITS = 2"),
        ("data/lines.csv", "15", "17"),
    ],
}

# ---- Edits that run nothing.

HARMLESS = {
    "words": [
        ("scripts/count_words.py", "PUNCTUATION = ", "# What is no word:\nPUNCTUATION = "),
        ("scripts/count_words.py", "Return a word as it is counted.", "Clean a word."),
        ("scripts/plot_counts.py", "rows[:bars])]", "rows[:bars])\n    ]"),
        ("config.yaml", "bars: 5\ncompression: 9", "compression: 9  # best\nbars: 5"),
    ],
    "analysis": [
        ("scripts/model.py", "POINTS = 50\n", "POINTS = 50  # in the picture\n"),
        ("scripts/vis.py", "Draw the results as a line.", "Draw them."),
        ("config/default.yaml", "slope: 4", "slope: 0x4"),
        ("Snakefile", "rule plot:", "# A picture\nrule plot:"),
    ],
    "grid": [
        ("scripts/_helpers.py", "RETRIES = 3", "RETRIES = 4"),
        ("scripts/_helpers.py", "urlretrieve(url, path)\n", "print(urlretrieve(url, path))\n"),
        ("scripts/_helpers.py", "types.ConfigSettings()", "types.ConfigSettings(config={})"),
        ("scripts/_helpers.py", "if it is one.", "if it is a number."),
        ("config/config.yaml", "scale: 1.1", "scale: 1.10"),
    ],
}


@pytest.mark.parametrize("workflow", HARMLESS, indirect=True)
def test_nothing_to_do(workflow):
    # Where a rule is left alone, Snakemake's own triggers start what has nothing to do.
    needless = {"run"} if workflow.folder.name == "analysis" else set()
    assert workflow.plan().keys() <= needless
    workflow.edit(*HARMLESS[workflow.folder.name])
    shutil.rmtree(workflow.folder / ".snakemake")
    assert workflow.plan().keys() <= needless


# ---- Edits that make results stale, and what runs then. To undo them makes all current again.

COUNT = "scripts/count_words.py"
MODEL = "scripts/model.py"
HELPERS = "scripts/_helpers.py"
CONFIG = "config/config.yaml"

TABLE = {"zipf_table": 1, "archive": 1}
PLOTS = {"plot_counts": 3, "archive": 1}
COUNTS = {"count_words": 3, **PLOTS, **TABLE}
BOOK = {"count_words": 1, "plot_counts": 1, "list_books": 1, **TABLE}

SUMS = {"checksums": 1}
PLOT = {"plot": 1, "report": 2, **SUMS}
RUN = {"run": 1, "test": 1, **PLOT}

SUMMARY = {"make_summary": 1, "plot_summary": 1}
MAPS = {"plot_network": 2}
SOLVE = {"solve_network": 2, **SUMMARY, **MAPS}
ADD = {"add_electricity": 1, "clean_lines": 1, **SOLVE}  # the lines are temporary
COSTS = {"retrieve_costs": 1, **ADD}
PROFILES = {"build_profile": 2, "build_hydro_profile": 1, **ADD}
EVERY = {"build_demand": 1, **PROFILES}

STALE = {
    "words": {
        "a function": ([(COUNT, ".lower()", ".upper()")], COUNTS),
        "a function that others import": ([(COUNT, "int(count), f", "1 * int(count), f")], COUNTS),
        "a constant": ([(COUNT, "PUNCTUATION = ", "PUNCTUATION = '_' + ")], COUNTS),
        "a function of one script": ([("scripts/plot_counts.py", "4477aa", "223355")], PLOTS),
        "a book edited": ([("books/winter.txt", "snows still", "snows on")], BOOK),
        "a book added": ([("books/zoo.txt", None, "The Zoo\n\nthe the zoo\n")], BOOK),
        "a book deleted": ([("books/winter.txt", "", None)], {"list_books": 1, **TABLE}),
        "a param": ([("config.yaml", "bars: 5", "bars: 6")], PLOTS),
        "another script": (
            [
                ("Snakefile", "scripts/zipf_table.py", "scripts/table.py"),
                ("scripts/table.py", None, (WORKFLOWS / "words/scripts/zipf_table.py").read_text()),
            ],
            TABLE,
        ),
        "other inputs": ([("Snakefile", "rules.list_books.output,", "[],")], {"archive": 1}),
        "the text of a shell rule": ([("Snakefile", "gzip -n", "gzip --best -n")], {"archive": 1}),
        "a program": ([("tools/list_books.py", '"-"', '"*"')], {"list_books": 1, "archive": 1}),
        "a global in a shell rule": ([("Snakefile", "=0 --group", "=1 --group")], {"archive": 1}),
        "a key in a shell rule": ([("config.yaml", "sion: 9", "sion: 1")], {"archive": 1}),
        "what a program imports": (
            [("tools/titles.py", ".strip()", ".strip().upper()")],
            {"list_books": 1, "archive": 1},
        ),
        "a function of a script that nobody executed": ([(COUNT, ":6} ", ":9} ")], {}),
        "a constant that nobody names": ([(COUNT, '"utf-8"\n', '"ascii"\n')], {}),
    },
    "analysis": {
        "a function": ([(MODEL, "slope * x + x0\n\n", "x0 + slope * x\n\n")], RUN),
        "a constant": ([(MODEL, "POINTS = 50", "POINTS = 40")], RUN),
        "a function of one script": (
            [("scripts/vis.py", "(path_to_figure, ", "(path_to_figure, mode=")],
            PLOT,
        ),
        "a param": ([("config/default.yaml", "slope: 4", "slope: 5")], RUN),
        "the environment": ([("envs/default.yaml", "3.12", "3.13")], RUN),
        "a test": ([("tests/test_model.py", "x0=7, x=0), 7", "x0=8, x=0), 8")], {"test": 1}),
        "a test added": ([("tests/test_other.py", None, "import unittest\n")], {"test": 1}),
        "a source of a rule left alone": (
            [("report/report.md", "A line", "Line")],
            {"report": 2} | SUMS,
        ),
        "a param of a rule left alone": (
            [("Snakefile", '"A linear model"', '"Lines"')],
            {"report": 1} | SUMS,
        ),
        "the text of a rule left alone": (
            [("Snakefile", "; cat plot", "; echo; cat plot")],
            {"report": 2} | SUMS,
        ),
        "a function of a script that nobody executed": (
            [(MODEL, "(y - x0) /", "1 * (y - x0) /")],
            {},
        ),
    },
    "grid": {
        "a helper": ([(HELPERS, "indent=1", "indent=2")], ADD),
        "a helper of all": ([(HELPERS, "force=True", "force=bool(1)")], EVERY),
        "a constant of two scripts": (
            [(HELPERS, "HOURS_PER_STEP = 6", "HOURS_PER_STEP = 5")],
            SOLVE,
        ),
        "a script of two rules": ([("scripts/build_profile.py", "max(row", "min(row")], PROFILES),
        "a script that reads many": (
            [("scripts/make_summary.py", "DIGITS = 3", "DIGITS = 2")],
            SUMMARY,
        ),
        "a param of one of two rules": (
            [(CONFIG, "capacity: 10", "capacity: 9")],
            {"build_hydro_profile": 1} | ADD,
        ),
        "a param of one wildcard": (
            [(CONFIG, "capacity: 30", "capacity: 31")],
            {"build_profile": 1} | ADD,
        ),
        "a param that a default replaces": (
            [("rules/build.smk", 'load", 1000', 'load", 2000')],
            ADD,
        ),
        "plots": ([(CONFIG, "gold", "orange")], {"plot_summary": 1} | MAPS),
        "an option": (
            [(CONFIG, "[base, co2l0.5]", "[base, co2l0.5, co2l0.1]")],
            {"solve_network": 1, "plot_network": 1, **SUMMARY},
        ),
        "a technology less": ([(CONFIG, "\n  hydro: {", "\n# hydro: {")], ADD),
        "a key that scripts read": ([(CONFIG, "level: INFO", "level: DEBUG")], EVERY),
        "data of a run rule": ([("data/costs.csv", "2030,gas,60", "2030,gas,70")], COSTS),
        "the text of a run rule": (
            [("rules/build.smk", "for row in rows if", "for row in rows[:] if")],
            COSTS,
        ),
        "data of a shell rule": ([("data/lines.csv", "north,south,25", "north,south,26")], ADD),
        "threads, which change nothing": ([("rules/solve.smk", "threads: 2", "threads: 1")], {}),
        "a key that a script reads in a copy": (
            [(CONFIG, "gas_limit: 200", "gas_limit: 300")],
            SOLVE,
        ),
        "a key that a run rule reads": ([(CONFIG, "year: 2030", "year: 2020")], COSTS),
        "a helper that a run rule calls": (
            [(HELPERS, "float(text)", "float(text) + 0")],
            EVERY | COSTS,
        ),
        "a function that two scripts call": (
            [("scripts/plot_summary.py", "12", "14")],
            {"plot_summary": 1} | MAPS,
        ),
        "a comment between rules": (
            [("rules/solve.smk", "rule solve", "# To solve\nrule solve")],
            {},
        ),
    },
}
OPEN = {
    "words: a global in a shell rule": "P2",
    "words: a key in a shell rule": "P2",
    "words: what a program imports": "P4",
    "words: a function of a script that nobody executed": "P7",
    "words: a constant that nobody names": "P7",
    "analysis: a param of a rule left alone": "P6",
    "analysis: the text of a rule left alone": "P6",
    "analysis: a function of a script that nobody executed": "P7",
    "grid: a key that a script reads in a copy": "P1",
    "grid: a key that a run rule reads": "P3",
    "grid: a helper that a run rule calls": "P3",
    "grid: a function that two scripts call": "P5",
    "grid: a comment between rules": "P3",
    "grid: threads, which change nothing": "P3",
}
CASES = [
    pytest.param(
        name, edits, plan, id=case, marks=[open_finding(OPEN[case])] if case in OPEN else []
    )
    for name, table in STALE.items()
    for what, (edits, plan) in table.items()
    for case in [f"{name}: {what}"]
]


@pytest.mark.slow
@pytest.mark.parametrize("workflow, edits, plan", CASES, indirect=["workflow"])
def test_an_edit(workflow, edits, plan):
    workflow.edit(*edits)
    assert workflow.plan() == plan
    workflow.undo(*edits)
    assert workflow.plan() == {}
