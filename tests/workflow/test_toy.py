"""Another workflow with the same engine keeps the contract: tests/workflow/toy."""

import os
import re
import shutil
import time

import pytest
import yaml

from project import CHECKOUT, EDIT, snakemake

pytestmark = pytest.mark.slow

ALL = ["clean", "fit", "draw"]
NAMES = {"Cleaning": "clean", "Fitting": "fit", "Drawing": "draw"}


class Toy:
    def __init__(self, folder):
        self.folder = folder

    def snakemake(self, *arguments):
        library = {"PYTHONPATH": str(CHECKOUT / "workflow/scripts")}
        return snakemake(self.folder, "--cores", "1", *arguments, env=library)

    def run(self, *arguments):
        """Run it, which must succeed; returns {stage that ran: why}."""
        process = self.snakemake(*arguments)
        output = process.stdout + process.stderr
        assert process.returncode == 0, output
        jobs = re.findall(r"^Job \d+: (\w+) \((.*)\)$", output, re.MULTILINE)
        return {NAMES[word]: why for word, why in jobs}

    def set(self, **settings):
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | settings))

    def edit(self, file, text=EDIT):
        path = self.folder / "scripts" / file
        path.write_text(path.read_text() + text)


@pytest.fixture(scope="module")
def finished_toy(tmp_path_factory):
    toy = Toy(tmp_path_factory.mktemp("toy") / "a toy")
    shutil.copytree(CHECKOUT / "tests/workflow/toy", toy.folder)
    assert toy.run() == {stage: "for the first time" for stage in ALL}
    return toy


@pytest.fixture
def toy(finished_toy, tmp_path):
    shutil.copytree(finished_toy.folder, tmp_path / "a toy")
    return Toy(tmp_path / "a toy")


def test_nothing_changed(toy):
    assert toy.run("-n") == {}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"threshold": 100}, {"clean": "threshold: 10 -> 100", "fit": "follows clean"}),
        ({"degree": 2}, {"fit": "degree: 1 -> 2"}),
        ({"colour": "red"}, {"draw": "colour: blue -> red"}),
    ],
)
def test_an_edited_setting_runs_what_depends_on_it(toy, settings, expected):
    toy.set(**settings)
    assert toy.run() == {"draw": "follows fit"} | expected
    assert toy.run("-n") == {}


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("mylib/points.py", ALL),
        ("mylib/__init__.py", ALL),
        ("mylib/model.py", ["fit", "draw"]),
        ("draw.py", ["draw"]),
    ],
)
def test_edited_code_runs_what_imports_it_and_what_follows(toy, file, stages):
    toy.edit(file)
    plan = toy.run("-n")
    assert list(plan) == stages
    # A package without any statement was no part of the code before.
    verb = "is new" if file == "mylib/__init__.py" else "changed"
    assert plan[stages[0]] == f"{file.rsplit('/', 1)[-1]} {verb}"


def test_an_edited_source_file_runs_what_reads_it_and_a_touched_one_does_not(toy):
    data = toy.folder / "data.csv"
    os.utime(data, (time.time() + 1000,) * 2)
    assert toy.run("-n") == {}
    data.write_text(data.read_text() + "5,11\n")
    assert list(toy.run("-n")) == ALL


@pytest.mark.parametrize("stage", ALL)
def test_a_failure_is_tried_again_until_it_succeeds(toy, stage):
    script = toy.folder / f"scripts/{stage}.py"
    source, marker = script.read_text(), toy.folder / "fail"
    marker.touch()
    script.write_text(f"import os\n\n{source}    assert not os.path.exists('fail'), 'on purpose'\n")
    for _ in range(2):
        process = toy.snakemake()
        assert process.returncode == 1
        assert "on purpose" in process.stderr
    marker.unlink()
    assert list(toy.run()) == ALL[ALL.index(stage) :]
    assert toy.run("-n") == {}


def test_without_snakemakes_records_and_with_touched_files_it_knows_the_same(toy):
    shutil.rmtree(toy.folder / ".snakemake")
    for path in (toy.folder / "results").rglob("*"):
        os.utime(path)
    assert toy.run("-n") == {}
    toy.set(degree=2)
    assert list(toy.run("-n")) == ["fit", "draw"]


@pytest.mark.parametrize(
    ("missing", "stage"),
    [("clean.csv", "clean"), ("model.json", "fit"), (".model.json.fingerprint", "fit")],
)
def test_a_missing_result_is_made_again_if_it_is_asked_for(toy, missing, stage):
    (toy.folder / "results" / missing).unlink()
    assert toy.run("-n") == {}  # only the drawing is asked for, and it is current
    assert list(toy.run("results/clean.csv", "results/model.json")) == [stage]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (["--forceall"], ALL),
        (["--forcerun", "fit"], ["fit", "draw"]),
        (["--forcerun", "results/model.json"], ["fit", "draw"]),
        (["--until", "fit"], []),
    ],
)
def test_forced_runs(toy, option, expected):
    assert list(toy.run("-n", *option)) == expected


def test_what_is_forced_is_there_in_full(toy):
    (toy.folder / "results/clean.csv").unlink()
    assert list(toy.run("--forcerun", "fit")) == ALL
    (toy.folder / "results/clean.csv").unlink()
    assert list(toy.run("--force", "results/model.json")) == ["clean", "fit"]
    assert toy.run("-n") == {}


@pytest.mark.parametrize("option", ["--until", "--omit-from"])
def test_a_part_is_run_and_then_the_rest(toy, option):
    toy.set(threshold=100)
    first = ["clean", "fit"] if option == "--until" else ["clean"]
    assert list(toy.run(option, "fit")) == first
    assert list(toy.run()) == ALL[len(first) :]


def test_a_file_that_a_rule_makes_that_is_no_stage_is_refused(toy):
    snakefile = toy.folder / "Snakefile"
    before, after = '"results/clean.csv"),', '"results/clean.csv", "results/other.csv"),'
    output = "    output:\n        'results/other.csv'\n"
    rule = f"\n\nrule other:\n{output}    shell:\n        'touch {{output}}'"
    snakefile.write_text(snakefile.read_text().replace(before, after) + f"{rule}\n")
    process = toy.snakemake()
    assert process.returncode == 1
    message = "results/other.csv is made by the rule other, which is not a stage"
    assert message in process.stdout + process.stderr


def test_without_the_profile_what_is_stale_runs_as_well(toy):
    assert toy.run("-n", "--workflow-profile", "none") == {}
    toy.set(degree=2)
    assert list(toy.run("--workflow-profile", "none")) == ["fit", "draw"]
    assert toy.run("-n", "--workflow-profile", "none") == {}


@pytest.mark.parametrize(
    ("missing", "expected"), [("clean.csv", ALL), ("model.json", ["fit", "draw"])]
)
def test_without_the_profile_a_missing_result_is_made_before_what_follows(toy, missing, expected):
    # Snakemake's trigger `input` would run the drawing, which is current, without its inputs.
    (toy.folder / "results" / missing).unlink()
    assert list(toy.run("--workflow-profile", "none")) == expected
    assert toy.run("-n", "--workflow-profile", "none") == {}


def test_without_modification_times_it_refuses_to_plan(toy):
    process = toy.snakemake("-n", "--rerun-triggers", "params")
    assert process.returncode == 1
    assert "rerun-triggers must include mtime" in process.stdout + process.stderr


def test_touched_results_are_taken_for_current(toy):
    toy.set(degree=2)
    before = (toy.folder / "results/model.json").read_bytes()
    toy.run("--touch", "results/model.json")
    assert (toy.folder / "results/model.json").read_bytes() == before
    assert list(toy.run("-n")) == ["draw"]  # it follows, and was not touched
    toy.run("--touch")
    assert toy.run("-n") == {}
    toy.set(degree=1)
    assert list(toy.run("-n")) == ["fit", "draw"]


def test_a_touch_makes_nothing_current_that_is_not_there(toy):
    toy.set(degree=2)
    (toy.folder / "results/model.json").unlink()
    toy.run("--touch")
    assert list(toy.run("-n", "results/model.json")) == ["fit"]
