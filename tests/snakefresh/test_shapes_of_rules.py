"""The ways in which rules name their files."""

import pytest
from toys import copy_toy, make_workflow

pytestmark = pytest.mark.slow

SCRIPT = """
from snakefresh import recorded

from shared import LINE, text_of

with recorded(snakemake) as settings:
    with open(snakemake.output[0], "w") as file:
        file.write(LINE + "".join(map(text_of, snakemake.input)))
"""
FOLDER_SCRIPT = """
from snakefresh import recorded

from pathlib import Path

with recorded(snakemake) as settings:
    folder = Path(snakemake.output[0])
    folder.mkdir()
    for number in range(settings["files"]):
        (folder / f"{number}.txt").write_text(str(number))
"""
LIST_SCRIPT = """
from snakefresh import recorded

from pathlib import Path

with recorded(snakemake) as settings:
    paths = sorted(Path(snakemake.input[0]).iterdir())
    found = [f"{path.name}={path.read_text()}" for path in paths if path.suffix == ".txt"]
    Path(snakemake.output[0]).write_text(" ".join(found))
"""
SHARED = """
LINE = "-"


def text_of(path):
    with open(path) as file:
        return file.read()
"""

SHAPES = {
    "Snakefile": """
from pathlib import Path

from snakefresh import watch

NAMES = ["a", "b"]

rule all:
    input: "results/all.txt"

rule each:
    input: Path("data") / "{name}.txt"
    output: "results/{name}/each.txt"
    log: "logs/{name}.log"
    message: "each {wildcards.name}{params.why}"
    script: "scripts/join.py"

rule passing:
    input: rules.each.output
    output: temp("results/{name}/passing.txt")
    message: "passing {wildcards.name}{params.why}"
    script: "scripts/join.py"

rule next:
    input: lambda wildcards: f"results/{wildcards.name}/passing.txt"
    output: Path("results") / "{name}" / "next.txt"
    message: "next {wildcards.name}{params.why}"
    script: "scripts/next_{wildcards.name}.py"

rule gather:
    input:
        expand("results/{name}/next.txt", name=NAMES),
        single=rules.each.output[0].format(name="a"),
    output: "results/all.txt"
    message: "gather{params.why}"
    script: "scripts/join.py"

watch(workflow)
""",
    "data/a.txt": "A",
    "data/b.txt": "B",
    **{f"scripts/{name}.py": SCRIPT for name in ("join", "next_a", "next_b")},
    "scripts/shared.py": SHARED,
}
JOINED = ["each a", "each b", "passing a", "passing b", "next a", "next b", "gather"]


@pytest.fixture(scope="module")
def finished_shapes(tmp_path_factory):
    shapes = make_workflow(tmp_path_factory.mktemp("shapes") / "shapes", SHAPES)
    assert shapes.makes(*JOINED)
    return shapes


@pytest.fixture
def shapes(finished_shapes, tmp_path):
    return copy_toy(finished_shapes.folder, tmp_path / "shapes")


def test_a_source_file_of_one_wildcard_runs_what_is_made_from_it(shapes):
    assert shapes.read("results/all.txt") == "----A---B-A"
    shapes.write("data/b.txt", "C")
    assert shapes.makes("each b", "passing b", "next b", "gather")
    assert shapes.read("results/all.txt") == "----A---C-A"
    shapes.write("data/c.txt", "C")
    shapes.write("scripts/next_c.py", SCRIPT)
    shapes.replace("Snakefile", '["a", "b"]', '["a", "b", "c"]')
    assert shapes.makes("each c", "passing c", "next c", "gather")


def test_code_of_a_script_that_several_rules_have(shapes):
    shapes.replace("scripts/shared.py", 'LINE = "-"', 'LINE = "+"')
    assert shapes.makes(*JOINED)
    assert shapes.read("results/all.txt") == "++++A+++B+A"


def test_code_of_a_script_that_a_wildcard_names(shapes):
    shapes.replace("scripts/next_a.py", "LINE +", "'!' +")
    assert shapes.makes("passing a", "next a", "gather")
    assert shapes.read("results/all.txt") == "-!--A---B-A"


def test_a_temporary_result_is_made_again_only_if_it_is_needed(shapes):
    assert not (shapes / "results/a/passing.txt").exists()
    process = shapes.program("check", "results")
    assert process.returncode == 0, process.stdout  # its absence is no damage
    shapes.delete("results/all.txt")
    assert shapes.plans("gather")
    shapes.delete("results/a/next.txt")
    assert shapes.makes("passing a", "next a", "gather")
    assert not (shapes / "results/a/passing.txt").exists()


DERIVED = """
use rule gather as gather_again with:
    output: "results/again.txt"

include: "rules/more.smk"

"""
INCLUDED = """
rule more:
    input: "data/a.txt"
    output: ensure("results/more.txt", non_empty=True)
    message: "more{params.why}"
    script: "../scripts/join.py"
"""


def test_rules_that_are_derived_or_included(shapes):
    shapes.write("rules/more.smk", INCLUDED)
    shapes.replace("Snakefile", "watch(workflow", DERIVED + "watch(workflow")
    targets = '"results/all.txt", "results/again.txt", "results/more.txt"'
    shapes.replace("Snakefile", 'input: "results/all.txt"', f"input: {targets}")
    assert shapes.makes("gather", "more")  # (the message of the derived rule is that of `gather`)
    assert shapes.read("results/again.txt") == shapes.read("results/all.txt")
    shapes.replace("scripts/shared.py", 'LINE = "-"', 'LINE = "+"')
    assert shapes.makes(*JOINED, "more")
    assert shapes.read("results/again.txt") == shapes.read("results/all.txt") == "++++A+++B+A"


ALTERNATIVES = {
    "Snakefile": """
from snakefresh import watch

rule all:
    input: "results/a.txt", "results/b.txt"

rule from_text:
    input: "raw/{name}.txt"
    output: "read/{name}"
    message: "from_text {wildcards.name}{params.why}"
    script: "scripts/from_text.py"

rule from_table:
    input: "raw/{name}.csv"
    output: "read/{name}"
    message: "from_table {wildcards.name}{params.why}"
    script: "scripts/from_table.py"

rule write:
    input: "read/{name}"
    output: "results/{name}.txt"
    message: "write {wildcards.name}{params.why}"
    script: "scripts/write.py"

watch(workflow)
""",
    **{f"scripts/{name}.py": SCRIPT for name in ("from_text", "from_table", "write")},
    "scripts/shared.py": SHARED,
    "raw/a.txt": "a",
    "raw/b.csv": "b",
}


def test_rules_that_make_the_same_files_from_others(tmp_path):
    """Snakemake takes those whose inputs are there; without them, results are like sources."""
    toy = make_workflow(tmp_path / "toy", ALTERNATIVES)
    assert toy.makes("from_text a", "from_table b", "write a", "write b")
    for name, rule in (("a", "from_text"), ("b", "from_table")):
        toy.append(f"scripts/{rule}.py", "        file.write('!')\n")
        assert toy.makes(f"{rule} {name}", f"write {name}")
    (toy / "raw/a.txt").unlink()
    assert toy.plan() == {}
    toy.append("scripts/from_text.py", "        file.write('?')\n")
    assert toy.makes("write a") and toy.cut_off == {"results/a.txt"}
    toy.write("raw/a.csv", "A")
    assert toy.makes("from_table a", "write a")
    assert toy.read("results/a.txt") == "--A!"


# A checkpoint whose result is a folder: what is in it is joined, and listed.
CHECKPOINT = {
    "Snakefile": """
from pathlib import Path

from snakefresh import watch

configfile: "config.yaml"

def members(wildcards):
    folder = Path(checkpoints.split.get().output[0])
    return [f"results/made/{path.stem}.txt" for path in sorted(folder.glob("*.txt"))]

rule all:
    input: "results/gathered.txt", "results/listing.txt"

checkpoint split:
    output: directory("results/parts")
    message: "split{params.why}"
    script: "scripts/folder.py"

rule make:
    input: "results/parts/{number}.txt"
    output: "results/made/{number}.txt"
    message: "make {wildcards.number}{params.why}"
    script: "scripts/join.py"

rule gather:
    input: members
    output: "results/gathered.txt"
    message: "gather{params.why}"
    script: "scripts/join.py"

rule list:
    input: "results/parts"
    output: "results/listing.txt"
    message: "list{params.why}"
    script: "scripts/list.py"

watch(workflow, settings=config, reads={"split": ["files"]})
""",
    "config.yaml": "files: 2\n",
    "scripts/folder.py": FOLDER_SCRIPT,
    "scripts/join.py": SCRIPT,
    "scripts/shared.py": SHARED,
    "scripts/list.py": LIST_SCRIPT,
}


@pytest.fixture(scope="module")
def finished_checkpoint(tmp_path_factory):
    toy = make_workflow(tmp_path_factory.mktemp("checkpoint") / "a checkpoint", CHECKPOINT)
    assert toy.makes("split", "make 0", "make 1", "gather", "list")
    assert toy.read("results/gathered.txt") == "--0-1"
    assert toy.read("results/listing.txt") == "0.txt=0 1.txt=1"
    return toy


@pytest.fixture
def checkpoint(finished_checkpoint, tmp_path):
    return copy_toy(finished_checkpoint.folder, tmp_path / "a checkpoint")


def test_what_a_checkpoint_decides_grows_and_shrinks(checkpoint):
    for files, text, listing in (
        (3, "--0-1-2", "0.txt=0 1.txt=1 2.txt=2"),
        (1, "--0", "0.txt=0"),  # nothing stays of what was there
        (2, "--0-1", "0.txt=0 1.txt=1"),
    ):
        checkpoint.set(files=files)
        assert {"split", "list"} <= {*checkpoint.run()}
        assert checkpoint.read("results/gathered.txt") == text
        assert checkpoint.read("results/listing.txt") == listing
        assert checkpoint.plan() == {}


def test_what_follows_a_folder_of_the_same_files_is_cut_off(checkpoint):
    checkpoint.replace("scripts/folder.py", "write_text(str(number))", "write_text(f'{number}')")
    ran = {*checkpoint.run()}
    assert "split" in ran
    assert len(ran) == 1 + len(checkpoint.cut_off)
    assert "results/listing.txt" in checkpoint.cut_off
    assert checkpoint.plan() == {}


def test_an_edit_behind_a_checkpoint_is_seen(checkpoint):
    checkpoint.replace("scripts/shared.py", 'LINE = "-"', 'LINE = "+"')
    assert checkpoint.makes("make 0", "make 1", "gather")
    assert checkpoint.read("results/gathered.txt") == "++0+1"


def test_a_damaged_file_in_a_folder_is_found(checkpoint):
    assert checkpoint.program("check", "results").returncode == 0
    checkpoint.write("results/parts/1.txt", "9")
    process = checkpoint.program("check", "results")
    assert process.returncode == 1
    assert "results/parts" in process.stdout
    assert "results/listing" not in process.stdout


def test_a_protected_result(checkpoint):
    line = 'output: "results/listing.txt"'
    checkpoint.replace("Snakefile", line, 'output: protected("results/listing.txt")')
    checkpoint.delete("results/listing.txt")
    assert checkpoint.makes("list")


def test_a_retry_after_a_failure_is_recorded_as_what_succeeded(checkpoint):
    checkpoint.replace("Snakefile", "rule list:\n", "rule list:\n    retries: 1\n")
    fails_once = (
        "    if not Path('../tried').exists():\n        Path('../tried').touch()\n"
        "        raise OSError\n"
    )
    checkpoint.append("scripts/list.py", fails_once)
    assert checkpoint.makes("list")
    assert (checkpoint / "../tried").exists()
