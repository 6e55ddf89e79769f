"""A result that is not what its record says: named, refused, and made again."""

import os

import pytest
from toys import append

pytestmark = pytest.mark.slow

DAMAGES = {
    "a digit": lambda path: path.write_text(path.read_text()[:-2] + "7" + path.read_text()[-1:]),
    "cut": lambda path: path.write_text(path.read_text()[:-3]),
    "0 bytes": lambda path: path.write_text(""),
    "deleted": lambda path: path.unlink(),
}
STAGES = {"results/clean.csv": "clean", "results/model.json": "fit", "results/model.svg": "draw"}


def damage(path, how):
    """Change the content; size and modification time stay where they can."""
    before = path.stat()
    DAMAGES[how](path)
    if path.exists():
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_check_finds_nothing_in_what_is_whole(toy):
    process = toy.program("check", "results")
    assert process.returncode == 0, process.stdout + process.stderr
    for name in toy.results():
        assert name not in process.stdout


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("path", STAGES)
def test_check_names_exactly_what_is_damaged(toy, path, how):
    damage(toy / path, how)
    process = toy.program("check", "results")
    assert process.returncode == 1
    assert path in process.stdout
    for other in {*STAGES, "results/title.txt"} - {path}:
        assert other not in process.stdout


def test_after_deletion_one_run_restores_everything(toy):
    before = toy.results()
    for path in STAGES:
        damage(toy / path, "a digit")
    assert toy.program("check", "results").returncode == 1
    for path in STAGES:
        (toy / path).unlink()
    toy.run()
    assert toy.results() == before
    assert toy.program("check", "results").returncode == 0
    assert toy.plan() == {}


@pytest.mark.parametrize("how", ["a digit", "0 bytes"])
def test_a_job_refuses_an_input_that_is_damaged(toy, how):
    damage(toy / "results/model.json", how)
    append("scripts/draw.py", "    print('drawn')\n")(toy)
    output = toy.fails()
    assert "results/model.json" in output
    assert "\ndrawn" not in output
    assert "draw" in toy.plan()
    (toy / "results/model.json").unlink()
    assert list(toy.run()) == ["fit", "draw"]
    assert toy.plan() == {}


def test_a_damaged_input_stops_no_cutoff_from_being_right(toy):
    """The preprocessing runs again, which mends its result: what follows is the same."""
    before = toy.results()
    damage(toy / "results/clean.csv", "a digit")
    toy.set(threshold=11)
    toy.run()
    assert toy.results() == before


def test_check_says_what_is_damaged_although_a_whole_copy_was_made_since(toy):
    path = toy / "results/model.json"
    text = path.read_text()
    path.write_text("[1]")
    assert toy.program("check", "results").returncode == 1
    path.write_text(text)
    assert toy.program("check", "results").returncode == 0
    assert toy.plan() == {}


def test_check_of_a_folder_that_is_not_there_says_so(toy):
    process = toy.program("check", "no_results")
    assert process.returncode != 0
    assert "no_results" in process.stdout + process.stderr
    assert "Traceback" not in process.stderr


def test_prune_deletes_traces_that_no_record_names(toy):
    traces = toy / "results/.traces"
    before = {path.name for path in traces.iterdir()}
    toy.replace("scripts/mylib/model.py", "return round(", "return 0 + round(")
    toy.run()
    assert {path.name for path in traces.iterdir()} > before
    process = toy.program("prune", "results")
    assert process.returncode == 0, process.stderr
    assert toy.plan() == {}
    after = {path.name for path in traces.iterdir()}
    assert len(after) == len(before) and after != before
    toy.replace("scripts/mylib/model.py", "return 0 + round(", "return 1 + round(")
    assert toy.plans("fit", "draw")


def test_a_missing_trace_is_stale_and_said_so(toy):
    for path in (toy / "results/.traces").iterdir():
        path.unlink()
    plan = toy.plan()
    assert sorted(plan) == ["clean", "draw", "fit", "title"]
    assert all("trace" in why or "was made otherwise" in why for why in plan.values()), plan
    toy.run()
    assert toy.plan() == {}


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", "\0\0", '{"settings": 1}'])
def test_a_record_that_cannot_be_read_is_none(toy, content):
    toy.record("results/model.json").write_text(content)
    assert "fit" in toy.plan("results/model.json")
    toy.run("results/model.json")
    assert toy.plan() == {}


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\0"])
def test_a_trace_that_cannot_be_read_is_none(toy, content):
    for path in (toy / "results/.traces").iterdir():
        path.write_text(content)
    assert toy.plans("clean", "draw", "fit", "title")
    toy.run()
    assert toy.plan() == {}


def test_caches_may_be_deleted_or_damaged_at_any_time(toy):
    caches = [path for path in (toy / ".snakemake").rglob("*") if path.is_file()]
    for path in caches:
        if "snakefresh" in path.parts:
            path.write_bytes(b"\0damaged")
    assert toy.plan() == {}
    toy.set(degree=2)
    assert toy.plans("fit", "draw")
    toy.run()
    assert toy.plan() == {}


SYNTAX = "def broken(:\n    return 1\n"


@pytest.mark.parametrize("path", ["scripts/mylib/model.py", "scripts/draw.py"])
def test_a_syntax_error_is_named_with_its_file_and_line(toy, path):
    line = len(toy.read(path).splitlines()) + 1
    toy.append(path, SYNTAX)
    process = toy.snakemake("-n")
    planned = process.stdout + process.stderr
    output = planned if process.returncode else toy.fails()
    assert path.rsplit("/", 1)[-1] in output
    assert f"line {line}" in output or f".py:{line}" in output
    assert "<unknown>" not in planned + output


def test_a_syntax_error_in_what_no_current_result_uses_stops_nothing(toy):
    toy.write("scripts/mylib/unused.py", SYNTAX)
    assert toy.plan() == {}
    toy.set(colour="red")
    assert list(toy.run()) == ["draw"]
