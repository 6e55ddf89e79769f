"""What runs next time, whatever happened before: the contract of the engine's README."""

import os
import shutil
import time

import pytest
from toys import ALL, copy_toy, make_toy

pytestmark = pytest.mark.slow

CLEAN, MODEL, TITLE, DRAWING = (
    f"results/{name}" for name in ("clean.csv", "model.json", "title.txt", "model.svg")
)
AFTER = {
    "clean": ["clean", "fit", "draw"],
    "fit": ["fit", "draw"],
    "title": ["title", "draw"],
    "draw": ["draw"],
}
FIRST = {"clean": CLEAN, "fit": MODEL, "title": TITLE, "draw": DRAWING}

# (Beside the project: a file in it would be one that the job looked for.)
WAITS = """
    import pathlib, time

    pathlib.Path("../started").touch()
    while not pathlib.Path("../go on").exists():
        time.sleep(0.02)
"""


def fail_if_asked(toy, stage):
    """The script of a stage fails after its work if there is a file `fail`."""
    toy.append(
        f"scripts/{stage}.py",
        "    import os\n\n    assert not os.path.exists('fail'), 'on purpose'\n",
    )


@pytest.mark.parametrize("stage", ALL)
def test_a_failure_is_tried_again_until_it_succeeds(toy, stage):
    fail_if_asked(toy, stage)
    toy.write("fail", "")
    for _ in range(2):
        assert "on purpose" in toy.fails()
        assert toy.plans(*AFTER[stage])
    toy.delete("fail")
    assert sorted(toy.run()) == sorted(AFTER[stage])
    assert toy.plan() == {}


def test_a_failure_before_any_result_is_tried_again(new_toy):
    fail_if_asked(new_toy, "fit")
    new_toy.write("fail", "")
    new_toy.fails()
    assert new_toy.plan()["fit"]
    new_toy.delete("fail")
    new_toy.run()
    assert new_toy.plan() == {}


def test_a_failure_leaves_no_old_result_that_looks_current_even_after_an_undo(toy):
    before = toy.results()
    toy.set(degree=2)
    fail_if_asked(toy, "fit")
    toy.write("fail", "")
    toy.fails()
    toy.set(degree=1)
    toy.delete("fail")
    assert toy.plans("fit", "draw")
    toy.run()
    assert toy.results() == before


def test_an_exception_while_modules_are_imported_is_a_failure(toy):
    toy.append("scripts/mylib/model.py", "\nraise RuntimeError('on purpose')\n")
    for _ in range(2):
        assert "on purpose" in toy.fails()
        assert toy.plans("fit", "draw")


def test_a_script_that_exits_in_its_block_has_not_succeeded(toy):
    toy.append("scripts/fit.py", "    raise SystemExit(0)\n")
    toy.snakemake()
    assert toy.plans("fit", "draw")


def test_there_is_no_record_while_a_job_runs(toy):
    record = toy.record(MODEL)
    there = f"os.path.exists('{record.relative_to(toy.folder)}')"
    toy.append("scripts/fit.py", f"    import os\n\n    assert not {there}\n")
    toy.run()
    assert record.exists()


def test_a_job_finds_no_output_of_another_time(toy):
    toy.replace("scripts/fit.py", '[0], "w")', '[0], "x")')
    toy.run()
    assert toy.plan() == {}


def test_without_snakemakes_own_records_it_knows_the_same(toy):
    shutil.rmtree(toy / ".snakemake")
    assert toy.plan() == {}
    toy.set(degree=2)
    assert toy.plans("fit", "draw")


def test_results_copied_to_another_checkout_are_current_and_edits_are_seen(toy, tmp_path):
    other = make_toy(tmp_path / "other")
    shutil.copytree(toy / "results", other / "results")
    assert other.plan() == {}
    other.replace("scripts/mylib/model.py", "/ len", "// len")
    assert other.plans("fit", "draw")


def test_results_copied_without_traces_are_stale(toy, tmp_path):
    other = make_toy(tmp_path / "other")
    shutil.copytree(toy / "results", other / "results", ignore=shutil.ignore_patterns(".traces"))
    assert other.plans(*ALL)


def test_touched_files_are_the_same(toy):
    for number, path in enumerate(sorted(toy.folder.rglob("*"))):
        os.utime(path, (time.time() + 100 - number,) * 2)
    assert toy.plan() == {}


@pytest.mark.parametrize("stage", ALL)
def test_killed_while_it_ran(new_toy, stage):
    script = new_toy.read(f"scripts/{stage}.py")
    new_toy.append(f"scripts/{stage}.py", WAITS)
    process = new_toy.start()
    new_toy.wait_for("../started", process)
    new_toy.kill(process)
    assert stage in new_toy.plan()
    new_toy.write(f"scripts/{stage}.py", script)
    new_toy.run()
    assert new_toy.plan() == {}
    other = make_toy(new_toy.folder.with_name("fresh"))
    other.run()
    assert new_toy.results() == other.results()


def test_code_edited_while_a_run_is_active_is_seen_next_time(new_toy):
    toy = new_toy
    toy.append("scripts/fit.py", WAITS)
    process = toy.start()
    toy.wait_for("../started", process)
    text = toy.read("scripts/mylib/model.py")
    toy.replace("scripts/mylib/model.py", "/ len", "// len")
    toy.write("../go on", "")
    assert process.wait() == 0, toy.read("started.log")
    assert {"fit", "draw"} <= {*toy.plan()}
    toy.write("scripts/mylib/model.py", text)
    assert toy.plan() == {}  # what has started is recorded as what it was


def test_the_script_edited_while_it_runs_is_seen_next_time(new_toy):
    toy = new_toy
    toy.append("scripts/fit.py", WAITS)
    process = toy.start()
    toy.wait_for("../started", process)
    toy.replace("scripts/fit.py", "json.dump(coefficients", "json.dump(coefficients[:1]")
    toy.write("../go on", "")
    assert process.wait() == 0, toy.read("started.log")
    assert {"fit", "draw"} <= {*toy.plan()}
    toy.run()
    assert toy.plan() == {}
    assert toy.read(MODEL).count(",") == 0


def test_code_that_a_running_job_imports_late_is_what_it_was_then(new_toy):
    toy = new_toy
    toy.replace("scripts/fit.py", "from mylib.model import fit\n", "")
    toy.replace(
        "scripts/fit.py",
        "    coefficients",
        f"{WAITS}    from mylib.model import fit\n\n    coefficients",
    )
    process = toy.start()
    toy.wait_for("../started", process)
    toy.replace("scripts/mylib/model.py", "/ len", "// len")
    toy.write("../go on", "")
    assert process.wait() == 0, toy.read("started.log")
    assert toy.plan() == {}


@pytest.mark.parametrize("path", ["data.csv", "scripts/mylib/factor.txt"])
def test_a_file_that_is_read_and_edited_while_a_run_is_active(new_toy, path):
    toy = new_toy
    toy.write("scripts/mylib/factor.txt", "1")
    toy.replace(
        "scripts/clean.py",
        "    threshold =",
        "    factor = open('scripts/mylib/factor.txt').read()\n    threshold =",
    )
    toy.append("scripts/clean.py", WAITS)
    process = toy.start()
    toy.wait_for("../started", process)
    toy.append(path, "5,5\n" if path == "data.csv" else "0")
    toy.write("../go on", "")
    process.wait()
    assert "clean" in toy.plan()
    toy.run()
    assert toy.plan() == {}


def test_a_setting_edited_while_a_run_is_active(new_toy):
    toy = new_toy
    toy.append("scripts/fit.py", WAITS)
    process = toy.start()
    toy.wait_for("../started", process)
    toy.set(degree=2, colour="red")
    toy.write("../go on", "")
    assert process.wait() == 0, toy.read("started.log")
    assert toy.plans("fit", "draw")
    toy.set(degree=1, colour="blue")
    assert toy.plan() == {}


def test_touch_accepts_what_is_there_and_runs_nothing(toy):
    before = toy.results()
    toy.set(degree=2)
    toy.replace("scripts/mylib/model.py", "/ len", "// len")
    toy.run("--touch")
    assert toy.results() == before
    assert toy.plan() == {}
    toy.set(degree=1)
    assert toy.plans("fit", "draw")


def test_touch_accepts_only_what_it_touches(toy):
    toy.set(degree=2)
    toy.run("--touch", MODEL)
    assert toy.plans("draw")
    toy.run("--touch")
    assert toy.plan() == {}


LATER = {
    "a function that was executed": ("model.py", "/ len", "// len", ["fit", "draw"]),
    "the script": (
        "../fit.py",
        "json.dump(coefficients",
        "json.dump(0 or coefficients",
        ["fit", "draw"],
    ),
    "another module": (
        "points.py",
        "csv.DictReader(file)",
        "[*csv.DictReader(file)]",
        ["clean", "fit", "draw"],
    ),
}


@pytest.mark.parametrize(("path", "old", "new", "stages"), LATER.values(), ids=LATER)
@pytest.mark.parametrize("with_trace", [True, False])
def test_an_edit_after_a_touch_is_seen(toy, with_trace, path, old, new, stages):
    toy.set(degree=2, threshold=11, title="two")
    if not with_trace:
        for record in (toy / "results").glob(".*.record"):
            record.unlink()
        shutil.rmtree(toy / "results/.traces")
    toy.run("--touch")
    assert toy.plan() == {}
    toy.replace(f"scripts/mylib/{path}", old, new)
    plan = toy.plan()
    assert {*stages} <= {*plan}


def test_a_function_that_accepted_code_begins_to_execute_is_seen(toy):
    """The edit that was accepted calls another function, which no job has executed yet."""
    toy.append("scripts/mylib/model.py", "\n\ndef scaled(value):\n    return value\n")
    toy.replace("scripts/mylib/model.py", "return round(", "return scaled(1) * round(")
    toy.run("--touch")
    assert toy.plan() == {}
    toy.replace("scripts/mylib/model.py", "    return value\n", "    return 2 * value\n")
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
        ([MODEL], []),
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
    assert toy.plans(*planned)
    toy.run()
    toy.run(CLEAN, MODEL, TITLE, DRAWING)
    assert toy.results() == before
    assert toy.plan() == {}


def test_a_missing_result_that_is_asked_for_is_made_and_nothing_else(toy):
    toy.delete(CLEAN)
    assert list(toy.run(CLEAN)) == ["clean"]
    assert toy.plan() == {}


def test_a_result_needed_by_what_is_stale_is_made_again(toy):
    toy.delete(CLEAN)
    toy.delete(MODEL)
    toy.set(degree=2)
    assert toy.plans("clean", "fit", "draw")
    toy.run()
    assert toy.plan() == {}


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["--until", "fit"], ["clean", "fit"]),
        (["--omit-from", "fit"], ["clean"]),
        (["--until", "clean"], ["clean"]),
        ([CLEAN], ["clean"]),
        ([MODEL], ["clean", "fit"]),
        ([TITLE], []),
        (["fit"], ["clean", "fit"]),
    ],
    ids=" ".join,
)
def test_a_part_is_run_and_then_the_rest(toy, arguments, first):
    toy.set(threshold=100)
    assert sorted(toy.run(*arguments)) == sorted(first)
    rest = [stage for stage in ("clean", "fit", "draw") if stage not in first]
    assert sorted(toy.run()) == sorted(rest)
    assert toy.plan() == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--workflow-profile", "none"],
        ["--rerun-triggers", "mtime"],
        ["--rerun-triggers", "code", "input", "mtime", "params", "software-env"],
        ["--keep-going"],
        ["--quiet", "rules"],
        ["--ignore-incomplete"],
        ["--rerun-incomplete"],
        ["--cores", "2"],
        ["--nolock"],
    ],
    ids=" ".join,
)
def test_options_change_nothing(toy, arguments):
    assert toy.plan(*arguments) == {}
    toy.append("scripts/fit.py", "# A comment.\n")
    assert toy.plan(*arguments) == {}
    toy.set(degree=2)
    assert sorted(toy.run(*arguments)) in (["draw", "fit"], [])  # (quiet)
    assert toy.plan(*arguments) == {}


def test_a_job_in_a_process_of_its_own_group_is_recorded(toy):
    """Rules in one group run in one call of Snakemake where there is a cluster, else as always."""
    text = toy.read("Snakefile")
    for stage in ("fit", "draw"):
        text = text.replace(f"rule {stage}:\n", f"rule {stage}:\n    group:\n        'one'\n")
    toy.write("Snakefile", text)
    assert toy.plan() == {}
    toy.set(degree=2)
    assert sorted(toy.run()) == ["draw", "fit"]
    assert toy.plan() == {}


def test_jobs_of_another_scheduler_are_recorded_and_cut_off(toy):
    cluster = [
        "--executor",
        "cluster-generic",
        "--cluster-generic-submit-cmd",
        "sh -c 'sh \"$0\" > job.log 2>&1'",
    ]
    options = [*cluster, "--jobs", "1", "--latency-wait", "5"]
    toy.set(degree=2)
    assert sorted(toy.run(*options)) == ["draw", "fit"]
    assert toy.plan() == {}
    before = {path: (toy / path).stat().st_mtime_ns for path in (MODEL, DRAWING)}
    record = toy.record(MODEL).stat().st_mtime_ns
    toy.run(*options, "--forcerun", "fit")
    assert (toy / MODEL).stat().st_mtime_ns > before[MODEL]
    assert toy.record(MODEL).stat().st_mtime_ns > record
    assert toy.plan() == {}
    toy.set(threshold=11)
    toy.run(*options)
    assert toy.plan() == {}


def ask(toy, question, when=""):
    """What the Snakefile is told by `watched`."""
    line = f"print('ANSWER', {question})\n"
    toy.append("Snakefile", f"\n{when}:\n    {line}" if when else f"\n{line}")


def answer(output):
    return [line.removeprefix("ANSWER ") for line in output.splitlines() if "ANSWER" in line]


@pytest.mark.parametrize("method", ["is_current", "is_current_by_record"])
def test_a_snakefile_can_ask_what_is_current(toy, method):
    ask(toy, f"*[watched.{method}(stage, {{}}) for stage in ('clean', 'fit', 'title', 'draw')]")
    toy.plan()
    assert set(answer(toy.output)) == {"True True True True"}
    toy.set(degree=2)
    toy.plan()
    assert set(answer(toy.output)) == {"True False True False"}


def test_a_snakefile_can_ask_what_runs(toy):
    ask(
        toy,
        "*[watched.runs(stage, {}) for stage in ('clean', 'fit', 'title', 'draw')]",
        "onsuccess",
    )
    toy.set(degree=2)
    toy.run()
    assert answer(toy.output)[-1] == "False True False True"


def test_a_snakefile_can_ask_whether_something_is_forced(toy):
    said = 'lambda wildcards: print("ANSWER", watched.forces) or "results/model.svg"'
    toy.replace("Snakefile", '"results/model.svg",\n\n\nrule clean', f"{said},\n\n\nrule clean")
    toy.plan()
    assert set(answer(toy.output)) == {"False"}
    toy.plan("--forcerun", "fit")
    assert set(answer(toy.output)) == {"True"}


def test_records_say_the_same_wherever_the_workflow_lies(toy, tmp_path):
    """No path of this machine is in a record or a trace."""
    for path in (toy / "results").rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes(), path
    assert copy_toy(toy.folder, tmp_path / "deep/er").plan() == {}
