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
GATHER_SCRIPT = """
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
    script: "scripts/join.py"

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
    "scripts/join.py": SCRIPT,
    "scripts/shared.py": SHARED,
}
FOLDER = {
    "Snakefile": """
from snakefresh import watch

configfile: "config.yaml"

rule all:
    input: "results/listing.txt"

rule folder:
    output: directory("results/folder")
    message: "folder{params.why}"
    script: "scripts/folder.py"

rule listing:
    input: "results/folder"
    output: "results/listing.txt"
    message: "listing{params.why}"
    script: "scripts/gather.py"

watch(workflow, settings=config, reads={"folder": ["files"]})
""",
    "config.yaml": "files: 2\n",
    "scripts/folder.py": FOLDER_SCRIPT,
    "scripts/gather.py": GATHER_SCRIPT,
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


@pytest.fixture
def folder(tmp_path):
    toy = make_workflow(tmp_path / "a folder", FOLDER)
    assert toy.makes("folder", "listing")
    assert toy.read("results/listing.txt") == "0.txt=0 1.txt=1"
    return toy


def test_a_source_file_of_one_wildcard_runs_what_is_made_from_it(shapes):
    assert shapes.read("results/all.txt") == "----A---B-A"
    shapes.write("data/b.txt", "C")
    assert shapes.makes("each b", "passing b", "next b", "gather")
    assert shapes.read("results/all.txt") == "----A---C-A"
    shapes.write("data/c.txt", "C")
    shapes.replace("Snakefile", '["a", "b"]', '["a", "b", "c"]')
    assert shapes.makes("each c", "passing c", "next c", "gather")


def test_code_of_a_script_that_several_rules_have(shapes):
    shapes.replace("scripts/shared.py", 'LINE = "-"', 'LINE = "+"')
    assert shapes.makes(*JOINED)
    assert shapes.read("results/all.txt") == "++++A+++B+A"


def test_a_temporary_result_is_made_again_only_if_it_is_needed(shapes):
    assert not (shapes / "results/a/passing.txt").exists()
    process = shapes.program("check", "results")
    assert process.returncode == 0, process.stdout  # its absence is no damage
    shapes.delete("results/all.txt")
    assert shapes.plans("gather")
    shapes.delete("results/a/next.txt")
    assert shapes.makes("passing a", "next a", "gather")
    assert not (shapes / "results/a/passing.txt").exists()


def test_a_folder_as_a_result(folder):
    folder.set(files=3)
    assert folder.makes("folder", "listing")
    assert folder.read("results/listing.txt") == "0.txt=0 1.txt=1 2.txt=2"
    folder.set(files=1)
    assert folder.makes("folder", "listing")
    assert folder.read("results/listing.txt") == "0.txt=0"  # nothing stays of what was there
    folder.replace("scripts/folder.py", "write_text(str(number))", "write_text(f'{number}')")
    assert folder.makes("folder", "listing")
    assert folder.cut_off == {"results/listing.txt"}


def test_a_damaged_file_in_a_folder_is_found(folder):
    assert folder.program("check", "results").returncode == 0
    folder.write("results/folder/1.txt", "9")
    process = folder.program("check", "results")
    assert process.returncode == 1
    assert "results/folder" in process.stdout
    assert "results/listing" not in process.stdout


def test_a_protected_result(folder):
    folder.replace(
        "Snakefile", '"results/listing.txt"\n    m', 'protected("results/listing.txt")\n    m'
    )
    folder.delete("results/listing.txt")
    assert folder.makes("listing")


def test_what_says_how_a_job_is_run_changes_nothing(shapes):
    shapes.write("logs/a.log", "a log\n")
    text = shapes.read("Snakefile")
    for line in ("group: 'one'", "priority: 5", "retries: 2"):
        shapes.write("Snakefile", text.replace("rule next:\n", f"rule next:\n    {line}\n"))
        assert shapes.plan() == {}


def test_a_retry_after_a_failure_is_recorded_as_what_succeeded(folder):
    folder.replace("Snakefile", "rule folder:\n", "rule folder:\n    retries: 1\n")
    fails_once = (
        "    if not Path('../tried').exists():\n        Path('../tried').touch()\n"
        "        raise OSError\n"
    )
    folder.append("scripts/folder.py", fails_once)
    folder.set(files=1)
    assert folder.makes("folder", "listing")
    assert folder.read("results/listing.txt") == "0.txt=0"


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


SCRIPT_BY_WILDCARD = {
    "Snakefile": """
from snakefresh import watch

rule all:
    input: "results/a.txt", "results/b.txt"

rule make:
    output: "results/{name}.txt"
    message: "make {wildcards.name}{params.why}"
    script: "scripts/{wildcards.name}.py"

watch(workflow)
""",
    **{
        f"scripts/{name}.py": "from snakefresh import recorded\n\n"
        "with recorded(snakemake) as settings:\n"
        f"    open(snakemake.output[0], 'w').write('{name}')\n"
        for name in ("a", "b")
    },
}


def test_a_script_named_by_a_wildcard_counts_or_is_refused(tmp_path):
    toy = make_workflow(tmp_path / "toy", SCRIPT_BY_WILDCARD)
    process = toy.snakemake()
    output = process.stdout + process.stderr
    if process.returncode:
        assert "Traceback" not in output
        assert "wildcards.name" in output
        return
    assert toy.plan() == {}
    toy.replace("scripts/a.py", "'a'", "'c'")
    assert toy.plans("make a")


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
    **{"raw/a.txt": "a", "raw/b.csv": "b"},
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


CHECKPOINT = {
    "Snakefile": """
from pathlib import Path

from snakefresh import watch

configfile: "config.yaml"

def members(wildcards):
    folder = Path(checkpoints.split.get().output[0])
    return [f"results/made/{path.stem}.txt" for path in sorted(folder.glob("*.txt"))]

rule all:
    input: "results/gathered.txt"

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

watch(workflow, settings=config, reads={"split": ["files"]})
""",
    **{path: text for path, text in (SHAPES | FOLDER).items() if path.startswith("scripts/")},
    "config.yaml": "files: 2\n",
}


@pytest.fixture
def checkpoint(tmp_path):
    toy = make_workflow(tmp_path / "a checkpoint", CHECKPOINT)
    assert toy.makes("split", "make 0", "make 1", "gather")
    assert toy.read("results/gathered.txt") == "--0-1"
    return toy


@pytest.mark.parametrize(("files", "text"), [(3, "--0-1-2"), (1, "--0")])
def test_what_a_checkpoint_decides_grows_and_shrinks(checkpoint, files, text):
    for number, expected in ((files, text), (2, "--0-1")):
        checkpoint.set(files=number)
        assert "split" in checkpoint.run()
        assert checkpoint.read("results/gathered.txt") == expected
        assert checkpoint.plan() == {}


def test_what_follows_a_checkpoint_is_cut_off(checkpoint):
    checkpoint.replace("scripts/folder.py", "write_text(str(number))", "write_text(f'{number}')")
    ran = {*checkpoint.run()}
    assert "split" in ran
    assert len(ran) == 1 + len(checkpoint.cut_off)
    assert checkpoint.plan() == {}


def test_an_edit_behind_a_checkpoint_is_seen(checkpoint):
    checkpoint.replace("scripts/shared.py", 'LINE = "-"', 'LINE = "+"')
    assert checkpoint.makes("make 0", "make 1", "gather")
    assert checkpoint.read("results/gathered.txt") == "++0+1"
