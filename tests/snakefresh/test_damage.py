"""A result or a record that is not what it should be: named, refused, and made again."""

import os

import pytest
from toys import ALL

pytestmark = pytest.mark.slow

DAMAGES = {
    "a digit": lambda path: path.write_text(path.read_text()[:-2] + "7" + path.read_text()[-1:]),
    "0 bytes": lambda path: path.write_text(""),
    "deleted": lambda path: path.unlink(),
}
PATHS = [f"results/{name}" for name in ("clean.csv", "model.json", "model.svg")]


def damage(path, how="a digit"):
    """Change the content; size and modification time stay where they can."""
    before = path.stat()
    DAMAGES[how](path)
    if path.exists():
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def check(toy):
    """What `check` says of the results, or nothing if all are whole."""
    process = toy.program("check", "results")
    assert process.returncode in (0, 1), process.stderr
    return process.stdout if process.returncode else ""


@pytest.mark.parametrize("how", DAMAGES)
def test_check_names_exactly_what_is_damaged(toy, how):
    before = toy.results()
    assert check(toy) == ""
    for number, path in enumerate(PATHS):
        damage(toy / path, how)
        said = check(toy)
        assert [each in said for each in [*PATHS, "title.txt"]] == [n <= number for n in range(4)]
    for path in PATHS:
        (toy / path).unlink(missing_ok=True)
    assert toy.makes("clean", "fit", "draw")
    assert toy.results() == before
    assert check(toy) == ""


@pytest.mark.parametrize("how", ["a digit", "0 bytes"])
def test_a_job_refuses_an_input_that_is_damaged(toy, how):
    damage(toy / "results/model.json", how)
    toy.append("scripts/draw.py", "    print('drawn')\n")
    output = toy.fails()
    assert "results/model.json" in output
    assert "\ndrawn" not in output
    assert toy.plans("draw")
    toy.delete("results/model.json")
    assert toy.makes("fit", "draw")


def test_a_damaged_input_that_is_made_again_first_harms_nothing(toy):
    before = toy.results()
    damage(toy / "results/clean.csv")
    toy.set(threshold=11)
    assert toy.makes("clean", "fit", "draw")
    assert toy.results() == before


def test_a_result_put_back_is_whole_again(toy):
    text = toy.read("results/model.json")
    toy.write("results/model.json", "[1]")
    assert "model.json" in check(toy)
    toy.write("results/model.json", text)
    assert check(toy) == ""
    assert toy.plan() == {}


def test_check_of_a_folder_that_is_not_there_says_so(toy):
    process = toy.program("check", "no_results")
    assert process.returncode != 0
    assert "no_results" in process.stdout + process.stderr
    assert "Traceback" not in process.stderr


def traces(toy):
    return {path.name for path in (toy / "results/.traces").iterdir()}


def test_prune_deletes_traces_that_no_record_names(toy):
    before = traces(toy)
    toy.replace("scripts/mylib/model.py", "return round(", "return 0 + round(")
    toy.run()
    assert traces(toy) > before
    assert toy.program("prune", "results").returncode == 0
    assert toy.plan() == {}
    assert len(traces(toy)) == len(before) and traces(toy) != before
    toy.replace("scripts/mylib/model.py", "return 0 + round(", "return 1 + round(")
    assert toy.plans("fit", "draw")


def test_a_missing_trace_is_stale_and_said_so(toy):
    for path in (toy / "results/.traces").iterdir():
        path.unlink()
    assert "trace" in toy.plan()["clean"]
    assert toy.makes(*ALL)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", "\0\0", '{"settings": 1}'])
def test_a_record_or_a_trace_that_cannot_be_read_is_none(toy, content):
    toy.record("results/model.json").write_text(content)
    assert "fit" in toy.run("results/model.json")
    assert toy.plan() == {}
    for path in (toy / "results/.traces").iterdir():
        path.write_text(content)
    assert toy.makes(*ALL)


def test_caches_may_be_damaged_at_any_time(toy):
    for path in (toy / ".snakemake/snakefresh").rglob("*"):
        if path.is_file():
            path.write_bytes(b"\0damaged")
    assert toy.plan() == {}
    toy.set(degree=2)
    assert toy.makes("fit", "draw")


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
