"""A watched workflow that is used by another one, with and without a prefix."""

import shutil

import pytest
from toys import ALL, Toy, make_toy

pytestmark = pytest.mark.slow

OUTER = """
configfile: "config.yaml"

module toy:
    snakefile: "toy/Snakefile"
    config: config
    {prefix}

use rule * from toy {names}

rule more:
    input: "{folder}results/model.svg"
    output: "results/more.txt"
    shell: "cp {{input}} {{output}}"
"""

WAYS = {
    "plain": ("", "", ""),
    "renamed": ("", "as toy_*", ""),
    "with a prefix": ('prefix: "toy"', "", "toy/"),
    "with a prefix, renamed": ('prefix: "toy"', "as toy_*", "toy/"),
}


@pytest.fixture(params=WAYS)
def outer(request, tmp_path):
    prefix, names, folder = WAYS[request.param]
    toy = make_toy(tmp_path / "outer/toy")
    outer = Toy(tmp_path / "outer")
    outer.write("Snakefile", OUTER.format(prefix=prefix, names=names, folder=folder))
    shutil.copy(toy / "config.yaml", outer / "config.yaml")
    if not folder:
        shutil.copy(toy / "data.csv", outer / "data.csv")
    outer.prefix, outer.target = folder, folder + "results/model.svg"
    outer.run(outer.target)
    assert outer.plan(outer.target) == {}
    return outer


def test_edits_are_seen(outer):
    target = outer.target
    outer.set(degree=2)
    assert sorted(outer.plan(target)) == ["draw", "fit"]
    outer.set(degree=1)
    outer.append("toy/scripts/mylib/model.py", "# A comment.\n")
    assert outer.plan(target) == {}
    outer.replace("toy/scripts/mylib/model.py", "/ len", "// len")
    assert sorted(outer.run(target)) == ["draw", "fit"]
    assert outer.plan(target) == {}
    outer.append(outer.prefix + "data.csv", "5,6\n")
    assert sorted(outer.plan(target)) == ["clean", "draw", "fit"]


def test_what_changes_no_bytes_is_cut_off(outer):
    outer.set(threshold=11)
    outer.run(outer.target)
    assert outer.cut_off == {f"{outer.prefix}results/model.json", outer.target}
    assert outer.plan(outer.target) == {}


def test_rules_of_the_outer_workflow_are_not_touched(outer):
    for colour in ("blue", "red"):
        outer.set(colour=colour)
        outer.run("results/more.txt")
        assert outer.read("results/more.txt") == outer.read(outer.target)


@pytest.mark.parametrize(("missing", "stage"), [("clean.csv", "clean"), ("model.json", "fit")])
def test_a_deleted_result_is_made_where_it_is_needed(outer, missing, stage):
    """Snakemake's own triggers, which a module leaves as they are, may run more: it is cut off."""
    path, target = f"{outer.prefix}results/{missing}", outer.target
    before = (outer / path).read_bytes()
    outer.delete(path)
    outer.set(colour="red")
    ran = {*outer.run(target)}
    assert {stage, "draw"} <= ran
    assert len(ran) <= 2 + len(outer.cut_off)
    assert (outer / path).read_bytes() == before
    assert outer.plan(target) == {}


BOTH_WATCHED = """
from snakefresh import watch

configfile: "config.yaml"

module toy:
    snakefile: "toy/Snakefile"
    config: config

use rule * from toy exclude all as toy_*

rule all:
    input: "results/more.txt"
    default_target: True

rule more:
    input: "results/model.svg"
    output: "results/more.txt"
    message: "more{params.why}"
    script: "scripts/more.py"

watch(workflow, settings=config, reads={"more": ["other"]})
"""
MORE = """
from snakefresh import recorded

with recorded(snakemake) as settings:
    text = open(snakemake.input[0]).read()
    open(snakemake.output[0], "w").write(text + str(settings["other"]))
"""


def test_a_module_and_the_workflow_that_uses_it_can_both_be_watched(tmp_path):
    toy = make_toy(tmp_path / "outer/toy")
    outer = Toy(tmp_path / "outer")
    outer.write("Snakefile", BOTH_WATCHED)
    outer.write("scripts/more.py", MORE)
    for name in ("config.yaml", "data.csv"):
        shutil.copy(toy / name, outer / name)
    assert outer.makes(*ALL, "more")
    outer.set(other=1)
    assert outer.makes("more")
    outer.set(degree=2)
    assert outer.makes("fit", "draw", "more")
    outer.set(threshold=11)
    assert outer.makes("clean", "fit", "draw", "more")
    assert outer.cut_off == {"results/model.json", "results/model.svg", "results/more.txt"}
