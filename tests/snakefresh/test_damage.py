"""A result or a record that is not what it should be: named, refused, and made again."""

from snakefresh.contents import LARGE, content, touched

import json
import os

import pytest
from toys import ALL, make_workflow

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


STRANGE = {
    "a FIFO": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": lambda path: path.mkdir(),
    "50 GB": lambda path: path.open("wb").truncate(50_000_000_000),
    "nested JSON": lambda path: path.write_text(1_000_000 * "["),
}


@pytest.mark.parametrize("what", STRANGE)
def test_what_is_strange_in_place_of_a_record_or_a_trace_is_none(toy, what):
    """Planning neither waits for it nor reads it to its end."""
    record = toy.record("results/model.json")
    record.unlink()
    STRANGE[what](record)
    assert "fit" in toy.plan("results/model.json")
    assert str(record.name) in check(toy)
    for path in (toy / "results/.traces").iterdir():
        path.unlink()
        STRANGE[what](path)
    assert toy.plans(*ALL)


@pytest.mark.parametrize("value", [None, 1, "text", [], [[1]], {}, {"": 1}, {"": [[1]]}])
def test_a_record_of_another_shape_is_none(toy, value):
    """Or it says that something else was made, but planning goes on."""
    path = toy.record("results/model.json")
    record = json.loads(path.read_text())
    for key in record:
        path.write_text(json.dumps(record | {key: value}))
        toy.plan()
        check(toy)
    for key in record["wiring"]:
        path.write_text(json.dumps(record | {"wiring": record["wiring"] | {key: value}}))
        toy.plan()


@pytest.mark.parametrize("what", ["a FIFO", "a device", "a folder"])
def test_what_is_strange_in_place_of_a_result_is_damaged(toy, what):
    path = toy / "results/model.json"
    path.unlink()
    STRANGE[what](path)
    assert "results/model.json is damaged" in check(toy)
    toy.append("scripts/draw.py", "    print('drawn')\n")
    assert "results/model.json is damaged, or was edited by hand: delete it." in toy.fails()


LARGE_RESULT = {
    "Snakefile": """
from snakefresh import watch

rule all:
    input: "results/length.txt"

rule numbers:
    output: "results/numbers.json"
    message: "numbers{params.why}"
    script: "numbers.py"

rule length:
    input: "results/numbers.json"
    output: "results/length.txt"
    message: "length{params.why}"
    script: "length.py"

watch(workflow)
""",
    "numbers.py": f"""
from snakefresh import recorded

import json

with recorded(snakemake):
    with open(snakemake.output[0], "w") as file:
        json.dump([0] * {LARGE}, file)
""",
    "length.py": """
from snakefresh import recorded

import json

with recorded(snakemake):
    with open(snakemake.input[0]) as file, open(snakemake.output[0], "w") as written:
        written.write(str(len(json.load(file))))
""",
}


def test_bits_that_change_on_the_disk_are_found(tmp_path, monkeypatch):
    """Neither size nor times of the file tell, so its remembered hash is wrong."""
    toy = make_workflow(tmp_path / "large", LARGE_RESULT)
    toy.run()
    path = toy / "results/numbers.json"
    known = content(path)
    with path.open("r+b") as file:
        file.write(b"}")
    monkeypatch.chdir(toy.folder)
    touched("results/numbers.json", known)
    assert content("results/numbers.json") == known != content("results/numbers.json", False)
    assert "results/numbers.json is damaged" in check(toy)
    (toy / "results/length.txt").unlink()
    assert "results/numbers.json is damaged, or was edited by hand: delete it." in toy.fails()
    path.unlink()
    assert toy.makes("numbers", "length")


@pytest.mark.parametrize("damage", [b"\0damaged", b"", b"[1]", b'{"a": []}', 1_000_000 * b"["])
def test_caches_may_be_damaged_at_any_time(toy, damage):
    for path in (toy / ".snakemake/snakefresh").rglob("*"):
        if path.is_file():
            path.write_bytes(damage)
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
