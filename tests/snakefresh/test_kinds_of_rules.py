"""Rules that are no Python scripts, rules that are left alone, and what is refused."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest
from toys import ENGINE, Toy, make_workflow

pytestmark = pytest.mark.slow

SCRIPT = """
from snakefresh import recorded

with recorded(snakemake) as settings:
    with open(snakemake.output[0], "w") as file:
        file.write(open(snakemake.input[0]).read().upper())
"""
# A chain of three: a script, a rule of another kind, a script.
CHAIN = """
from snakefresh import watch

configfile: "config.yaml"

rule all:
    input: "results/last.txt"

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
    script: "scripts/last.py"

watch(workflow%s)
"""
SHELL = 'shell: "cat table.txt {input} > {output}"'
RUN = """run:
        with open(input[0]) as file, open("table.txt") as table, open(output[0], "w") as made:
            made.write(table.read() + file.read())
"""
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "a",
            "metadata": {},
            "outputs": [],
            "source": "with open(snakemake.output[0], 'w') as file:\n"
            "    file.write(open('table.txt').read() + open(snakemake.input[0]).read())",
        }
    ],
    "metadata": {
        "kernelspec": {"display_name": "a", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "file_extension": ".py"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}
R = 'writeLines(c(readLines("table.txt"), readLines(snakemake@input[[1]])), snakemake@output[[1]])'
BASH = 'cat table.txt "${snakemake_input[0]}" > "${snakemake_output[0]}"\n'

# {kind: (directive, the text of its file, an edit that swaps both parts: file, old, new)}
KINDS = {
    "shell": (SHELL, "", ("Snakefile", "table.txt {input}", "{input} table.txt")),
    "run": (RUN, "", ("Snakefile", "table.read() + file.read()", "file.read() + table.read()")),
    "bash": (
        'script: "scripts/other.sh"',
        BASH,
        ("scripts/other.sh", 'table.txt "${snakemake_input[0]}"', '"${snakemake_input}" table.txt'),
    ),
    "notebook": (
        'notebook: "scripts/other.ipynb"',
        json.dumps(NOTEBOOK),
        (
            "scripts/other.ipynb",
            "open('table.txt').read() + open(snakemake.input[0]).read()",
            "open(snakemake.input[0]).read() + open('table.txt').read()",
        ),
    ),
    "R": (
        'script: "scripts/other.R"',
        R,
        (
            "scripts/other.R",
            'readLines("table.txt"), readLines(snakemake@input[[1]])',
            'readLines(snakemake@input[[1]]), readLines("table.txt")',
        ),
    ),
}
NEEDS = {
    "notebook": (find_spec("ipykernel") and find_spec("nbconvert"), "pip install ipykernel"),
    "R": (shutil.which("Rscript"), "apt-get install r-base-core"),
}


def make_chain(folder, kind, options="", **files):
    """The chain with this directive and these options of `watch`; `files` are scripts."""
    chain = make_workflow(folder / "a chain", {"source.txt": "a\n", "table.txt": "t\n"})
    chain.write("config.yaml", "a: 1\n")
    chain.write("Snakefile", CHAIN % (kind, options))
    for name, text in {"upper": SCRIPT, "last": SCRIPT, **files}.items():
        chain.write(f"scripts/{name}.py", text)
    return chain


def make_kind(folder, kind):
    there, how = NEEDS.get(kind, (True, ""))
    if not there:
        pytest.skip(f"needs {kind}: {how}")
    directive, text, _ = KINDS[kind]
    chain = make_chain(folder, directive)
    chain.write(directive.split('"')[1] if text else "unused", text)
    assert chain.makes("first", "other", "last")
    return chain


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_of_another_kind_is_a_stage_by_its_text(tmp_path, kind):
    chain = make_kind(tmp_path, kind)
    assert chain.read("results/last.txt") == "T\nA\n"
    shutil.rmtree(chain / ".snakemake")
    chain.write("Snakefile", "# A comment.\n\n\n" + chain.read("Snakefile"))
    assert chain.plan() == {}
    chain.replace(*KINDS[kind][2])
    assert chain.makes("other", "last")
    assert chain.read("results/last.txt") == "A\nT\n"
    chain.write("source.txt", "A\n")
    assert chain.makes("first", "other", "last")
    assert chain.cut_off == {"results/last.txt"}  # the bytes were the same


@pytest.fixture(params=["shell", "run"])
def chain(request, tmp_path):
    return make_kind(tmp_path, request.param)


def test_a_failure_of_it_is_tried_again(chain):
    text = chain.read("Snakefile")
    chain.write("Snakefile", text.replace("table.txt", "no_table.txt"))
    for _ in range(2):
        chain.fails()
        assert chain.plans("other", "last")
    chain.write("Snakefile", text)
    chain.run("results/other.txt", "results/last.txt")
    assert chain.read("results/other.txt") == "t\nA\n"
    assert chain.read("results/last.txt") == "T\nA\n"
    assert chain.plan() == {}


def test_its_result_is_made_again_if_it_is_needed_or_forced(chain):
    chain.delete("results/other.txt")
    assert chain.plan() == {}
    chain.delete("results/last.txt")
    assert chain.makes("other", "last")
    assert "other" in chain.run("--forcerun", "other")
    assert chain.plan() == {}
    assert list(chain.run("--forceall")) == ["first", "other", "last"]
    assert chain.plan() == {}


def test_declared_files_params_and_settings_of_a_shell_rule_count(tmp_path):
    chain = make_chain(tmp_path, 'params: word="one"\n    ' + SHELL)
    inputs = 'input: "results/first.txt"'
    chain.replace("Snakefile", inputs, f'{inputs}, "table.txt"')
    chain.replace("Snakefile", "cat table.txt {input}", "cat {input}")
    chain.replace("Snakefile", "watch(workflow", 'watch(workflow, config, {"other": ["a"]}')
    chain.run()
    chain.write("table.txt", "u\n")
    assert chain.makes("other", "last")
    chain.replace("Snakefile", 'word="one"', 'word="two"')
    assert chain.plan()["other"] == "word: one -> two"
    chain.replace("Snakefile", 'word="two"', 'word="one"')
    chain.set(a=2)
    assert chain.plan()["other"] == "a: 1 -> 2"


COMMANDS = {
    "the folder of the workflow": ("", "{workflow.basedir:q}/tools/one.py"),
    "a param": ('params: tool="tools/one.py"', "{params.tool}"),
    "a variable of the Snakefile": ("", "{TOOL}"),
    "a wildcard": ("", "tools/{wildcards.name}.py"),
}


@pytest.mark.parametrize(("params", "named"), COMMANDS.values(), ids=COMMANDS)
def test_a_program_counts_however_the_command_of_a_shell_rule_names_it(tmp_path, params, named):
    chain = make_chain(tmp_path, f'{params}\n    shell: "python {named} < {{input}} > {{output}}"')
    chain.replace("Snakefile", "configfile", 'TOOL = "tools/one.py"\n\nconfigfile')
    chain.replace("Snakefile", 'output: "results/other.txt"', 'output: "results/{name}.txt"')
    chain.replace("Snakefile", 'input: "results/other.txt"', 'input: "results/one.txt"')
    chain.replace("Snakefile", "rule other", "ruleorder: first > last > other\n\nrule other")
    chain.write("tools/one.py", "print(input())\n")
    chain.run()
    assert chain.plan() == {}
    moved = tmp_path / "moved"
    shutil.copytree(chain.folder, moved)
    assert Toy(moved).plan() == {}
    chain.write("tools/one.py", "print(input() * 2)\n")
    assert chain.plans("other", "last")


@pytest.mark.parametrize("line", ["conda", "envmodules", "container"])
def test_the_environment_of_a_rule_counts(tmp_path, line):
    before = {"conda": "envs/a.yaml", "envmodules": "a/1.0", "container": "docker://a:1"}[line]
    chain = make_chain(tmp_path, f'{line}: "{before}"\n    {SHELL}')
    chain.write("envs/a.yaml", "dependencies: [a]\n")
    chain.run()
    assert chain.plan() == {}
    if line == "conda":
        chain.write("envs/a.yaml", "dependencies: [b]\n")
    else:
        chain.replace("Snakefile", before, before + "2")
    assert chain.plans("other", "last")


def test_snakemake_decides_about_a_rule_left_alone_and_content_about_what_follows(tmp_path):
    chain = make_chain(tmp_path, 'script: "scripts/plain.py"', ', left_alone=["other"]')
    chain.replace("Snakefile", "other{params.why}", "other")
    text = "open(snakemake.output[0], 'w').write(open(snakemake.input[0]).read())\n"
    chain.write("scripts/plain.py", text)  # it needs no engine
    assert list(chain.run()) == ["first", "other", "last"]
    assert chain.read("results/last.txt") == "A\n"
    chain.run()
    assert chain.plan() == {}
    ran = chain.run("--forcerun", "other")
    assert "other" in ran
    assert "last" not in ran or chain.cut_off == {"results/last.txt"}
    chain.write("source.txt", "b\n")
    chain.run()
    assert chain.read("results/last.txt") == "B\n"
    assert chain.plan() == {}
    chain.write("results/other.txt", "by hand\n")
    chain.run()
    assert chain.read("results/last.txt") == "BY HAND\n"
    assert chain.plan() == {}
    chain.replace("scripts/last.py", "upper", "lower")
    assert chain.plans("last")


PLAIN = "open(snakemake.output[0], 'w').write('x')\n"
WITH_PLAIN, WITH_UPPER = 'script: "scripts/plain.py"', 'script: "scripts/upper.py"'
THREAD = "    import threading, time\n\n    threading.Thread(target=time.sleep, args=[1]).start()\n"

# {title: (directive, options, {script: text}, words that are said)}
REFUSALS = {
    "a script without the engine": (WITH_PLAIN, "", {"plain": PLAIN}, ["other", "recorded"]),
    "a shadow folder": (f'shadow: "minimal"\n    {WITH_UPPER}', "", {}, ["other", "shadow"]),
    "reads": (SHELL, ", config, {'othr': ['a']}", {}, ["othr"]),
    "left_alone": (SHELL, ", left_alone=['othr']", {}, ["othr"]),
    "unaffected_by": (SHELL, ", unaffected_by={'othr': ['a']}", {}, ["othr"]),
    "links": (SHELL, ", links={'othr': ['a']}", {}, ["othr"]),
    "a script that is not there": ('script: "scripts/no.py"', "", {}, ["no.py"]),
    "an import before the trace": (
        WITH_PLAIN,
        "",
        {"plain": f"import helper\n{SCRIPT}", "helper": "X = 1\n"},
        ["first"],
    ),
    "statements after the block": (WITH_PLAIN, "", {"plain": SCRIPT + "\nprint()\n"}, ["plain.py"]),
    "a thread that outlives the block": (WITH_PLAIN, "", {"plain": SCRIPT + THREAD}, ["thread"]),
    "a setting that is not in reads": (
        SHELL,
        ", config",
        {"upper": SCRIPT + "    print(settings['a'])\n"},
        ["first", "'a'"],
    ),
}


@pytest.mark.parametrize(("kind", "options", "files", "words"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_not_supported_is_refused_in_a_sentence(tmp_path, kind, options, files, words):
    chain = make_chain(tmp_path, kind, options, **files)
    output = chain.fails()
    for word in words:
        assert word in output
    assert not (chain / "results/last.txt").exists()


def test_a_refusal_of_a_rule_comes_before_anything_runs(tmp_path):
    output = make_chain(tmp_path, WITH_PLAIN, plain=PLAIN).fails("-n")
    assert "recorded" in output
    assert "Traceback" not in output


def test_a_store_is_refused(tmp_path):
    how = "pip install snakemake-storage-plugin-fs"
    pytest.importorskip("snakemake_storage_plugin_fs", reason=how)
    store = ["--default-storage-provider", "fs", "--default-storage-prefix", "store"]
    assert "snakefresh" in make_chain(tmp_path, SHELL).fails(*store)


def test_a_file_that_another_rule_makes_must_be_declared(tmp_path):
    chain = make_chain(tmp_path, SHELL)
    chain.run()
    chain.append("scripts/last.py", "    open('results/first.txt').read()\n")
    assert "results/first.txt" in chain.fails()
    assert chain.plans("last")


def test_importing_the_engine_outside_of_a_job_does_nothing(tmp_path):
    code = "from snakefresh import recorded; import os; assert os.listdir() == []"
    env = {"PYTHONPATH": str(ENGINE)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=True)
