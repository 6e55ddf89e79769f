"""Rules that are no Python scripts, rules that are left alone, and what is refused."""

import importlib.util
import json
import shutil
import subprocess
import sys

import pytest
from toys import make_workflow

pytestmark = pytest.mark.slow

SCRIPT = """
from snakefresh import recorded

with recorded(snakemake) as settings:
    with open(snakemake.output[0], "w") as file:
        file.write(open(snakemake.input[0]).read().upper())
"""
START = """
from snakefresh import watch

configfile: "config.yaml"

rule all:
    input: "results/last.txt"
"""

# A chain of three: a script, a rule of another kind, a script.
CHAIN = (
    START
    + """
rule first:
    input: "source.txt"
    output: "results/first.txt"
    message: "first{params.why}"
    script: "scripts/upper.py"

rule other:
    input: "results/first.txt"
    output: "results/other.txt"
    message: "other{params.why}"
    %s

rule last:
    input: "results/other.txt"
    output: "results/last.txt"
    message: "last{params.why}"
    script: "scripts/upper.py"

watch(workflow, settings=config, reads={}%s)
"""
)
SHELL = 'shell: "cat table.txt {input} > {output}"'
RUN = """run:
        with open(input[0]) as file, open("table.txt") as table, open(output[0], "w") as made:
            made.write(table.read() + file.read())
"""
KINDS = {"shell": SHELL, "run": RUN}


def make_chain(folder, kind, options=""):
    files = {"source.txt": "a\n", "table.txt": "t\n", "config.yaml": "a: 1\n"}
    chain = make_workflow(folder, files)
    chain.write("Snakefile", CHAIN % (kind, options))
    chain.write("scripts/upper.py", SCRIPT)
    return chain


@pytest.fixture(params=KINDS)
def chain(request, tmp_path):
    chain = make_chain(tmp_path / "a chain", KINDS[request.param])
    assert list(chain.run()) == ["first", "other", "last"]
    return chain


def test_a_rule_of_another_kind_is_current_after_it_ran(chain):
    assert chain.read("results/last.txt") == "T\nA\n"
    assert chain.plan() == {}
    shutil.rmtree(chain / ".snakemake")
    assert chain.plan() == {}


def test_an_edit_of_its_text_runs_it_and_what_follows(chain):
    if "run:" in chain.read("Snakefile"):
        chain.replace("Snakefile", "table.read() + file.read()", "file.read() + table.read()")
    else:
        chain.replace("Snakefile", "cat table.txt {input}", "cat {input} table.txt")
    assert chain.plans("other", "last")
    chain.run()
    assert chain.read("results/last.txt") == "A\nT\n"
    assert chain.plan() == {}


def test_an_edit_of_what_it_is_made_from_runs_it(chain):
    chain.write("source.txt", "b\n")
    assert chain.plans("first", "other", "last")
    chain.run()
    assert chain.read("results/last.txt") == "T\nB\n"
    assert chain.plan() == {}


def test_what_follows_it_is_cut_off_if_its_bytes_are_the_same(chain):
    chain.write("source.txt", "A\n")
    assert chain.plans("first", "other", "last")
    assert list(chain.run()) == ["first", "other", "last"]
    assert chain.cut_off == {"results/last.txt"}
    assert chain.plan() == {}


def test_edits_elsewhere_in_the_snakefile_do_not_run_it(chain):
    chain.write("Snakefile", "# A comment.\n\n\n" + chain.read("Snakefile"))
    assert chain.plan() == {}


def test_a_failure_of_it_is_tried_again(chain):
    text = chain.read("Snakefile")
    chain.write("Snakefile", text.replace("table.txt", "no_table.txt"))
    for _ in range(2):
        chain.fails()
        assert chain.plans("other", "last")
    chain.write("Snakefile", text)
    chain.run()
    assert chain.plan() == {}
    assert chain.read("results/last.txt") == "T\nA\n"


def test_its_missing_result_is_made_again(chain):
    chain.delete("results/other.txt")
    assert chain.plan() == {}
    chain.delete("results/last.txt")
    assert chain.plans("other", "last")
    chain.run()
    assert chain.plan() == {}


def test_it_can_be_forced(chain):
    assert list(chain.run("--forcerun", "other"))[:1] == ["other"]
    assert chain.plan() == {}
    assert list(chain.run("--forceall")) == ["first", "other", "last"]
    assert chain.plan() == {}


def test_a_declared_file_of_a_shell_rule_counts(tmp_path):
    chain = make_chain(tmp_path / "a chain", 'params: table="table.txt"\n    ' + SHELL)
    chain.replace(
        "Snakefile", 'input: "results/first.txt"', 'input: "results/first.txt", "table.txt"'
    )
    chain.replace("Snakefile", "cat table.txt {input}", "cat {input}")
    chain.run()
    assert chain.plan() == {}
    chain.write("table.txt", "u\n")
    assert chain.plans("other", "last")
    chain.run()
    assert chain.plan() == {}
    chain.replace("Snakefile", 'table="table.txt"', 'table="tables.txt"')
    assert chain.plans("other", "last")


def test_settings_of_a_shell_rule_count(tmp_path):
    chain = make_chain(tmp_path / "a chain", SHELL)
    chain.replace("Snakefile", "reads={}", 'reads={"other": ["a"]}')
    chain.run()
    chain.write("config.yaml", "a: 2\n")
    assert chain.plan()["other"] == "a: 1 -> 2"


NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "a",
            "metadata": {},
            "outputs": [],
            "source": "with open(snakemake.output[0], 'w') as file:\n"
            "    file.write('t\\n' + open(snakemake.input[0]).read())",
        }
    ],
    "metadata": {
        "kernelspec": {"display_name": "a", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "file_extension": ".py"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("ipykernel", "nbconvert"))),
    reason="needs a kernel: pip install ipykernel nbconvert",
)
def test_a_notebook_is_a_stage_by_its_text(tmp_path):
    chain = make_chain(tmp_path / "a chain", 'notebook: "scripts/other.ipynb"')
    chain.write("scripts/other.ipynb", json.dumps(NOTEBOOK))
    assert list(chain.run()) == ["first", "other", "last"]
    assert chain.plan() == {}
    chain.replace("scripts/other.ipynb", "'t\\\\n' + ", "'u\\\\n' + ")
    assert chain.plans("other", "last")
    chain.run()
    assert chain.read("results/last.txt") == "U\nA\n"
    assert chain.plan() == {}


@pytest.mark.skipif(not shutil.which("Rscript"), reason="needs R: apt-get install r-base-core")
def test_an_r_script_is_a_stage_by_its_text(tmp_path):
    chain = make_chain(tmp_path / "a chain", 'script: "scripts/other.R"')
    text = 'writeLines(c("t", readLines(snakemake@input[[1]])), snakemake@output[[1]])\n'
    chain.write("scripts/other.R", text)
    assert list(chain.run()) == ["first", "other", "last"]
    assert chain.plan() == {}
    chain.replace("scripts/other.R", '"t"', '"u"')
    assert chain.plans("other", "last")
    chain.run()
    assert chain.plan() == {}


def test_a_bash_script_is_a_stage_by_its_text(tmp_path):
    chain = make_chain(tmp_path / "a chain", 'script: "scripts/other.sh"')
    text = 'cat table.txt "${snakemake_input[0]}" > "${snakemake_output[0]}"\n'
    chain.write("scripts/other.sh", text)
    assert list(chain.run()) == ["first", "other", "last"]
    assert chain.read("results/last.txt") == "T\nA\n"
    assert chain.plan() == {}
    chain.replace("scripts/other.sh", "cat", "tac")
    assert chain.plans("other", "last")
    chain.run()
    assert chain.plan() == {}


class TestLeftAlone:
    @pytest.fixture
    def chain(self, tmp_path):
        kind = SHELL.replace("table.txt ", "")
        chain = make_chain(tmp_path / "a chain", kind, ', left_alone=["other"]')
        chain.replace("Snakefile", "other{params.why}", "other")
        assert list(chain.run()) == ["first", "other", "last"]
        return chain

    def test_it_is_current_afterwards(self, chain):
        assert "last" not in chain.plan()
        chain.run()
        assert chain.plan() == {}

    def test_snakemake_decides_about_it_and_content_about_what_follows(self, chain):
        chain.write("source.txt", "b\n")
        chain.run()
        assert chain.read("results/last.txt") == "B\n"
        assert chain.plan() == {}

    def test_what_follows_is_not_made_again_if_its_bytes_are_the_same(self, chain):
        chain.run("--forcerun", "other")
        assert "last" not in chain.run() or chain.cut_off == {"results/last.txt"}
        assert chain.plan() == {}

    def test_its_result_edited_by_hand_counts(self, chain):
        chain.write("results/other.txt", "by hand\n")
        chain.run()
        assert chain.read("results/last.txt") == "BY HAND\n"
        assert chain.plan() == {}

    def test_an_edit_of_what_follows_runs_that_only(self, chain):
        chain.write("scripts/lower.py", SCRIPT.replace("upper", "lower"))
        text = chain.read("Snakefile")
        start, end = text.rsplit('"scripts/upper.py"', 1)
        chain.write("Snakefile", f'{start}"scripts/lower.py"{end}')
        assert chain.plans("last")


def test_a_python_script_that_is_left_alone_needs_no_engine(tmp_path):
    chain = make_chain(tmp_path / "a", 'script: "scripts/plain.py"', ', left_alone=["other"]')
    chain.replace("Snakefile", "other{params.why}", "other")
    chain.write(
        "scripts/plain.py",
        "open(snakemake.output[0], 'w').write(open(snakemake.input[0]).read())\n",
    )
    chain.run()
    assert chain.read("results/last.txt") == "A\n"
    assert "last" not in chain.plan()


PLAIN = "open(snakemake.output[0], 'w').write('x')\n"


def refusals():
    plain = 'script: "scripts/plain.py"'
    yield (
        "a script without the engine",
        plain,
        "",
        {"scripts/plain.py": PLAIN},
        ["other", "recorded"],
    )
    yield (
        "a shadow folder",
        'shadow: "minimal"\n    script: "scripts/upper.py"',
        "",
        {},
        ["other", "shadow"],
    )
    yield "a name in left_alone that is no rule", SHELL, ", left_alone=['othr']", {}, ["othr"]
    yield (
        "a name in unaffected_by that is no rule",
        SHELL,
        ", unaffected_by={'othr': ['a']}",
        {},
        ["othr"],
    )
    yield "a name in links that is no rule", SHELL, ", links={'othr': ['a']}", {}, ["othr"]
    yield "a script that is not there", 'script: "scripts/no.py"', "", {}, ["no.py"]
    yield (
        "an import before the trace",
        'script: "scripts/late.py"',
        "",
        {"scripts/late.py": "import helper\n" + SCRIPT, "scripts/helper.py": "X = 1\n"},
        ["first"],
    )


REFUSALS = {title: rest for title, *rest in refusals()}


@pytest.mark.parametrize(("kind", "options", "files", "words"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_not_supported_is_refused_in_a_sentence(tmp_path, kind, options, files, words):
    chain = make_chain(tmp_path / "a chain", kind, options)
    for path, text in files.items():
        chain.write(path, text)
    output = chain.fails()
    for word in words:
        assert word in output
    assert not (chain / "results/last.txt").exists()


@pytest.mark.parametrize("how", ["-n", "--dry-run"])
def test_a_refusal_of_a_rule_comes_before_anything_runs(tmp_path, how):
    chain = make_chain(tmp_path / "a chain", 'script: "scripts/plain.py"')
    chain.write("scripts/plain.py", PLAIN)
    assert "recorded" in chain.fails(how)


def test_a_file_that_another_rule_makes_must_be_declared(tmp_path):
    chain = make_chain(tmp_path / "a chain", SHELL)
    chain.run()
    text = SCRIPT + "    open('results/first.txt').read()\n"
    chain.write("scripts/reads_more.py", text)
    before, after = chain.read("Snakefile").rsplit('"scripts/upper.py"', 1)
    chain.write("Snakefile", f'{before}"scripts/reads_more.py"{after}')
    output = chain.fails()
    assert "results/first.txt" in output
    assert chain.plans("last")


def test_a_setting_that_is_not_there_is_none_of_a_script(tmp_path):
    chain = make_chain(tmp_path / "a chain", SHELL)
    chain.replace("Snakefile", "reads={}", "reads={'last': ['nothing'], 'first': ['nothing']}")
    chain.append("scripts/upper.py", "    print(settings['nothing'])\n")
    assert "nothing" in chain.fails()


def test_a_store_is_refused(tmp_path):
    chain = make_chain(tmp_path / "a chain", SHELL)
    store = ["--default-storage-provider", "fs", "--default-storage-prefix", "store"]
    assert "snakefresh" in chain.fails(*store)


@pytest.mark.parametrize("line", ["conda", "envmodules", "container"])
def test_the_environment_of_a_rule_counts(tmp_path, line):
    chain = make_chain(tmp_path / "a chain", SHELL)
    before = {"conda": "envs/a.yaml", "envmodules": "a/1.0", "container": "docker://a:1"}[line]
    chain.write("envs/a.yaml", "dependencies: [a]\n")
    chain.replace("Snakefile", "    " + SHELL, f'    {line}: "{before}"\n    {SHELL}')
    chain.run()
    assert chain.plan() == {}
    if line == "conda":
        chain.write("envs/a.yaml", "dependencies: [b]\n")
    else:
        chain.replace("Snakefile", before, before + "2")
    assert chain.plans("other", "last")


def test_a_thread_that_outlives_the_block_is_refused(tmp_path):
    chain = make_chain(tmp_path / "a chain", 'script: "scripts/thread.py"')
    chain.write(
        "scripts/thread.py",
        SCRIPT + "    import threading, time\n\n"
        "    threading.Thread(target=time.sleep, args=[1]).start()\n",
    )
    assert "thread" in chain.fails()
    assert "other" in chain.plan()


def test_statements_after_the_block_are_refused(tmp_path):
    chain = make_chain(tmp_path / "a chain", 'script: "scripts/after.py"')
    chain.write("scripts/after.py", SCRIPT + "\nopen(snakemake.output[0], 'a').write('more')\n")
    chain.fails()
    assert not (chain / "results/last.txt").exists()


def test_importing_the_engine_outside_of_a_job_does_nothing(tmp_path):
    from toys import ENGINE

    code = "from snakefresh import recorded; import os; assert os.listdir() == []"
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ENGINE)}, check=True
    )
