"""What runs next time, whatever happened before: the contract of the engine's README."""

import os
import shutil
import time
from contextlib import contextmanager

import pytest
from toys import ALL, Toy, append, copy_toy, make_toy, replace

pytestmark = pytest.mark.slow

RESULTS = ("clean.csv", "model.json", "title.txt", "model.svg")
CLEAN, MODEL, TITLE, DRAWING = (f"results/{name}" for name in RESULTS)
AFTER = {
    "clean": ["clean", "fit", "draw"],
    "fit": ["fit", "draw"],
    "title": ["title", "draw"],
    "draw": ["draw"],
}
SCRIPT, LIBRARY, POINTS = "scripts/fit.py", "scripts/mylib/model.py", "scripts/mylib/points.py"


def fail_if_asked(toy, stage):
    """The script of a stage fails after its work while there is a file `fail`."""
    line = "    import os\n\n    assert not os.path.exists('../fail'), 'on purpose'\n"
    toy.append(f"scripts/{stage}.py", line)
    toy.write("../fail", "")


@pytest.mark.parametrize("stage", ALL)
def test_a_failure_is_tried_again_until_it_succeeds(toy, stage):
    fail_if_asked(toy, stage)
    for _ in range(2):
        assert "on purpose" in toy.fails()
        assert toy.plans(*AFTER[stage])
    toy.delete("../fail")
    assert toy.makes(*AFTER[stage])


def test_a_failure_leaves_no_old_result_that_looks_current_even_after_an_undo(toy):
    before = toy.results()
    toy.set(degree=2)
    fail_if_asked(toy, "fit")
    toy.fails()
    toy.set(degree=1)
    toy.delete("../fail")
    assert toy.makes("fit", "draw")
    assert toy.results() == before


def test_what_fails_while_modules_are_imported_is_tried_again(toy):
    toy.append(LIBRARY, "\nraise RuntimeError('on purpose')\n")
    for _ in range(2):
        toy.fails()
        assert toy.plans("fit", "draw")


def test_a_job_finds_neither_a_record_nor_an_output_of_another_time(toy):
    record = toy.record(MODEL).relative_to(toy.folder)
    toy.replace(SCRIPT, '[0], "w")', '[0], "x")')
    toy.append(SCRIPT, f"    import os\n\n    assert not os.path.exists('{record}')\n")
    assert toy.makes("fit", "draw")


def test_results_copied_to_another_checkout_are_current_if_their_traces_are_there(toy, tmp_path):
    for path in (toy / "results").rglob("*"):  # no path of this machine is in a record
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes(), path
    other = make_toy(tmp_path / "other")
    shutil.copytree(toy / "results", other / "results", copy_function=shutil.copyfile)
    assert other.plan() == {}
    other.replace(LIBRARY, "/ len", "// len")
    assert other.plans("fit", "draw")
    shutil.rmtree(other / "results/.traces")
    assert other.plans(*ALL)


def test_touched_and_copied_files_are_the_same_also_without_snakemakes_own_records(toy, tmp_path):
    for number, path in enumerate(sorted(toy.folder.rglob("*"))):
        os.utime(path, (time.time() + 100 - number,) * 2)
    assert toy.plan() == {}
    shutil.copytree(toy.folder, tmp_path / "deep/er", copy_function=shutil.copyfile)
    copy = Toy(tmp_path / "deep/er")
    assert copy.plan() == {}
    shutil.rmtree(copy / ".snakemake")
    assert copy.plan() == {}
    copy.set(degree=2)
    assert copy.plans("fit", "draw")
    copy.set(degree=1)
    assert copy.plan() == {}


@contextmanager
def waiting(toy, stage, then=""):
    """A running workflow, while the script of a stage waits; afterwards it goes on to its end."""
    waits = (  # beside the project: a file in it would be one that the job looked for
        "\n    import pathlib, time\n\n    pathlib.Path('../started').touch()\n"
        "    while not pathlib.Path('../go on').exists():\n        time.sleep(0.02)\n"
    )
    toy.append(f"scripts/{stage}.py", waits + then)
    process = toy.start()
    toy.wait_for("../started", process)
    yield process
    toy.write("../go on", "")
    toy.exit_code = process.wait()


@pytest.mark.parametrize("stage", ALL)
def test_killed_while_it_ran(new_toy, stage, tmp_path):
    script = new_toy.read(f"scripts/{stage}.py")
    with waiting(new_toy, stage) as process:
        new_toy.kill(process)
    assert stage in new_toy.plan()
    new_toy.write(f"scripts/{stage}.py", script)
    new_toy.run()
    assert new_toy.plan() == {}
    other = make_toy(tmp_path / "fresh")
    other.run()
    assert new_toy.results() == other.results()


MEANWHILE = {
    "code": (LIBRARY, "/ len", "// len"),
    "the script": (SCRIPT, "json.dump(coefficients", "json.dump(coefficients[:1]"),
    "a setting": ("config.yaml", "degree: 1", "degree: 2"),
}


@pytest.mark.parametrize(("path", "old", "new"), MEANWHILE.values(), ids=MEANWHILE)
def test_an_edit_while_a_run_is_active_is_seen_next_time(new_toy, path, old, new):
    with waiting(new_toy, "fit"):
        new_toy.replace(path, old, new)
    assert new_toy.exit_code == 0
    assert {"fit", "draw"} <= {*new_toy.plan()}
    new_toy.replace(path, new, old)
    assert new_toy.plan() == {}  # what had started is recorded as what it was


def test_code_that_a_running_job_imports_late_is_what_it_was_then(new_toy):
    with waiting(new_toy, "title", "    from mylib.model import fit\n\n    fit([(1, 1)], 1)\n"):
        new_toy.replace(LIBRARY, "/ len", "// len")
    assert new_toy.exit_code == 0
    assert "title" not in new_toy.plan()
    new_toy.replace(LIBRARY, "// len", "/ len")
    assert "title" in new_toy.plan()


@pytest.mark.parametrize("path", ["data.csv", "scripts/mylib/factor.txt"])
def test_a_file_that_is_read_and_edited_while_a_run_is_active(new_toy, path):
    new_toy.write("scripts/mylib/factor.txt", "1")
    new_toy.append("scripts/clean.py", "    open('scripts/mylib/factor.txt').read()\n")
    with waiting(new_toy, "clean"):
        new_toy.append(path, "5,5\n" if path == "data.csv" else "0")
    assert "clean" in new_toy.plan()
    new_toy.run()
    assert new_toy.plan() == {}


def test_touch_accepts_what_is_there_and_runs_nothing(toy):
    before = toy.results()
    toy.set(degree=2)
    toy.replace(LIBRARY, "/ len", "// len")
    toy.run("--touch", MODEL)
    assert toy.plans("draw")  # it was not touched
    toy.run("--touch")
    assert toy.results() == before
    assert toy.plan() == {}
    toy.set(degree=1)
    assert toy.plans("fit", "draw")


LATER = {
    "a function that was executed": (replace(LIBRARY, "/ len", "// len"), "fit"),
    "the script": (append(SCRIPT, "    print()\n"), "fit"),
    "another module": (replace(POINTS, "csv.DictReader(file)", "[*csv.DictReader(file)]"), "clean"),
    "a setting": (lambda toy: toy.set(degree=3), "fit"),
}


@pytest.mark.parametrize("with_trace", [True, False])
def test_edits_after_a_touch_are_seen(toy, with_trace, tmp_path):
    toy.set(degree=2, threshold=11, title="two")
    if not with_trace:
        for record in (toy / "results").glob(".*.record"):
            record.unlink()
        shutil.rmtree(toy / "results/.traces")
    toy.run("--touch")
    assert toy.plan() == {}
    for what, (edit, stage) in LATER.items():
        copy = copy_toy(toy.folder, tmp_path / what)
        edit(copy)
        assert {stage, "draw"} <= {*copy.plan()}, what


def test_a_function_that_accepted_code_begins_to_execute_is_seen(toy):
    """The edit that was accepted calls another function, which no job has executed yet."""
    toy.append(LIBRARY, "\n\ndef scaled(value):\n    return value\n")
    toy.replace(LIBRARY, "return round(", "return scaled(1) * round(")
    toy.run("--touch")
    assert toy.plan() == {}
    toy.replace(LIBRARY, "    return value\n", "    return 2 * value\n")
    assert toy.plans("fit", "draw")


def test_a_touch_makes_nothing_current_that_is_not_there(toy):
    toy.set(degree=2)
    toy.delete(MODEL)
    toy.snakemake("--touch")
    assert "fit" in toy.plan(MODEL)


@pytest.mark.parametrize(
    ("missing", "planned"),
    [
        ([CLEAN], []),
        ([CLEAN, MODEL, TITLE], []),
        ([DRAWING], ["draw"]),
        ([MODEL, DRAWING], ["fit", "draw"]),
        ([CLEAN, DRAWING], ["clean", "draw"]),
        ([CLEAN, MODEL, TITLE, DRAWING], ALL),
    ],
    ids=lambda value: " ".join(each.removeprefix("results/") for each in value),
)
def test_deleted_results_are_made_again_where_they_are_needed(toy, missing, planned):
    before = toy.results()
    for path in missing:
        toy.delete(path)
    assert toy.makes(*planned)
    toy.run(CLEAN, MODEL, TITLE, DRAWING)  # asked for by name, the others are made as well
    assert toy.results() == before
    assert toy.plan() == {}


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["--until", "fit"], ["clean", "fit"]),
        (["--omit-from", "fit"], ["clean"]),
        ([CLEAN], ["clean"]),
        ([TITLE], []),
        (["fit"], ["clean", "fit"]),
    ],
    ids=" ".join,
)
def test_a_part_is_run_and_then_the_rest(toy, arguments, first):
    toy.set(threshold=100)
    assert sorted(toy.run(*arguments)) == sorted(first)
    assert toy.makes(*(stage for stage in ("clean", "fit", "draw") if stage not in first))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--workflow-profile", "none"],
        ["--rerun-triggers", "code", "input", "mtime", "params", "software-env"],
        ["--keep-going"],
        ["--rerun-incomplete"],
        ["--cores", "2"],
        ["--nolock"],
    ],
    ids=" ".join,
)
def test_options_change_nothing(toy, arguments):
    assert toy.plan(*arguments) == {}
    toy.append(SCRIPT, "# A comment.\n")
    assert toy.plan(*arguments) == {}
    toy.set(degree=2)
    assert sorted(toy.run(*arguments)) == ["draw", "fit"]
    assert toy.plan(*arguments) == {}


def test_jobs_of_another_scheduler_are_recorded_and_cut_off(toy):
    submit = "sh -c 'sh \"$0\" > job.log 2>&1'"
    options = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", submit]
    options += ["--jobs", 1, "--seconds-between-status-checks", 1]
    toy.set(degree=2)
    assert sorted(toy.run(*options)) == ["draw", "fit"]
    assert toy.plan() == {}
    before = [path.stat().st_mtime_ns for path in (toy / MODEL, toy.record(MODEL))]
    toy.run(*options, "--forcerun", "fit")
    after = [path.stat().st_mtime_ns for path in (toy / MODEL, toy.record(MODEL))]
    assert all(b > a for a, b in zip(before, after))  # what is forced is not cut off
    toy.set(threshold=11)
    toy.run(*options)
    assert toy.plan() == {}


def answers(toy):
    lines = toy.output.splitlines()
    return [line.removeprefix("ANSWER ") for line in lines if line.startswith("ANSWER")]


ASKING = f"""
print("ANSWER", *[watched.is_current(stage, {{}}) for stage in {ALL}])
print("ANSWER", *[watched.is_current_by_record(stage, {{}}) for stage in {ALL}])

onsuccess:
    print("ANSWER", *[not watched.runs(stage, {{}}) for stage in {ALL}])
"""


def test_a_snakefile_can_ask_what_is_current_and_what_runs(toy):
    toy.append("Snakefile", ASKING)
    toy.plan()
    assert {*answers(toy)} == {"True True True True"}
    toy.set(degree=2)
    toy.run()
    assert {*answers(toy)} == {"True False True False"}


def test_an_input_function_can_ask_whether_something_is_forced(toy):
    said = 'lambda wildcards: print("ANSWER", watched.forces) or "results/model.svg"'
    toy.replace("Snakefile", '"results/model.svg",\n\n\nrule clean', f"{said},\n\n\nrule clean")
    toy.plan()
    assert {*answers(toy)} == {"False"}
    toy.plan("--forcerun", "fit")
    assert {*answers(toy)} == {"True"}
