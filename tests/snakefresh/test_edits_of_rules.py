"""What a stage depends on besides code: its settings, its rule, its input files."""

import os

import pytest
from toys import append, both, delete, replace, write

AFTER = ["fit", "draw"]


def setting(**settings):
    return lambda toy: toy.set(**settings)


def in_snakefile(old, new):
    return replace("Snakefile", old, new)


NEW_SCRIPT = (
    "from snakefresh import recorded\n\nwith recorded(snakemake) as settings:\n"
    "    open(snakemake.output[0], 'w').write(settings['title'] + '!')\n"
)
ANOTHER_SCRIPT = both(
    write("scripts/other.py", NEW_SCRIPT), in_snakefile('"scripts/title.py"', '"scripts/other.py"')
)
EDITS = {
    "a setting": (setting(degree=2), AFTER),
    "a setting of the first stage": (setting(threshold=100), ["clean", *AFTER]),
    "a setting of the second parent": (setting(title="two"), ["title", "draw"]),
    "a setting that nobody reads": (setting(other=1), []),
    "a setting taken away that nobody reads": (replace("config.yaml", "other: 0\n", ""), []),
    "settings in another order, with comments": (
        both(
            replace("config.yaml", "threshold: 10\n", ""),
            append("config.yaml", "# The highest.\nthreshold:   10  # as before\n"),
        ),
        [],
    ),
    "a number written otherwise": (replace("config.yaml", "threshold: 10", "threshold: 0xA"), []),
    "another type": (replace("config.yaml", "title: one", "title: 1"), ["title", "draw"]),
    "a key of snakemake.config": (setting(label="b"), ["title", "draw"]),
    "a plain param": (in_snakefile("flavour=1", "flavour=2"), ["title", "draw"]),
    "a param that a function gives": (
        in_snakefile("flavour=1", "flavour=lambda wildcards: 2"),
        ["title", "draw"],
    ),
    "the same param, given by a function": (
        in_snakefile("flavour=1", "flavour=lambda wildcards: 1"),
        [],
    ),
    "a new param": (in_snakefile("flavour=1", "flavour=1, more=2"), ["title", "draw"]),
    "another input": (
        in_snakefile('title="results/title.txt"', 'title="results/title.txt", again="data.csv"'),
        ["draw"],
    ),
    "another file as input": (
        both(write("other.csv", "x,y\n1,1\n"), in_snakefile('"data.csv"', '"other.csv"')),
        ["clean", *AFTER],
    ),
    "an input taken away": (in_snakefile('        title="results/title.txt",\n', ""), ["draw"]),
    "the name of an input": (
        both(
            in_snakefile("title=", "heading="),
            replace("scripts/draw.py", "input.title", "input[2]"),
        ),
        ["draw"],
    ),
    "the name of an output": (
        in_snakefile(
            '        "results/title.txt",\n    params',
            '        text="results/title.txt",\n    params',
        ),
        ["title", "draw"],
    ),
    "another script": (ANOTHER_SCRIPT, ["title", "draw"]),
    "a file that no rule makes": (append("data.csv", "5,6\n"), ["clean", *AFTER]),
    "a file that no rule makes, with size and time kept": (
        replace("data.csv", "1,3", "1,4"),
        ["clean", *AFTER],
    ),
    "a script": (append("scripts/draw.py", "    len('')\n"), ["draw"]),
    "the library of three stages": (
        replace("scripts/mylib/points.py", "csv.DictReader(file)", "[*csv.DictReader(file)]"),
        ["clean", *AFTER],
    ),
    "the library of one stage": (replace("scripts/mylib/model.py", "/ len", "// len"), AFTER),
    "a function of the library that no stage calls": (
        replace("scripts/mylib/points.py", "return len(", "return 1 + len("),
        [],
    ),
    "a message": (in_snakefile('"fit{params.why}"', '"fit {params.why}"'), []),
    "another target": (
        in_snakefile(
            '"results/model.svg",\n\n\nrule clean', '"results/clean.csv",\n\n\nrule clean'
        ),
        [],
    ),
    "a rule more": (
        in_snakefile(
            "rule title:", "rule more:\n    output: 'b'\n    shell: 'touch b'\n\n\nrule title:"
        ),
        [],
    ),
    "rules in another order": (lambda toy: move_rule_to_the_end(toy, "clean"), []),
    "comments in the Snakefile": (append("Snakefile", "# A comment.\n"), []),
}


def move_rule_to_the_end(toy, name):
    text = toy.read("Snakefile")
    start = text.index(f"rule {name}:")
    end, last = text.index("rule ", start + 1), text.index("watched =")
    toy.write("Snakefile", text[:start] + text[end:last] + text[start:end] + text[last:])


@pytest.mark.parametrize(("edit", "stages"), EDITS.values(), ids=EDITS)
def test_an_edit_runs_what_depends_on_it(toy, edit, stages):
    before = {path: path.stat() for path in (toy / "data.csv", toy / "config.yaml")}
    edit(toy)
    for path, stat in before.items():  # nothing may depend on times
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert toy.plans(*stages)


REASONS = {
    "a setting": (setting(degree=2), "fit", "degree: 1 -> 2"),
    "code": (
        replace("scripts/mylib/model.py", "/ len", "// len"),
        "fit",
        "model.py: moment changed",
    ),
    "a source file": (append("data.csv", "5,6\n"), "clean", "data.csv changed"),
    "a setting of what it is made from": (setting(threshold=100), "fit", "follows clean"),
    "the script of the rule": (ANOTHER_SCRIPT, "title", "another script"),
    "no record": (
        lambda toy: toy.record("results/model.svg").unlink(),
        "draw",
        "there is no record of how its result was made",
    ),
    "no result": (delete("results/model.svg"), "draw", "its result is missing"),
}


@pytest.mark.parametrize(("edit", "stage", "reason"), REASONS.values(), ids=REASONS)
def test_the_message_says_why(toy, edit, stage, reason):
    edit(toy)
    assert reason in toy.plan()[stage]


def test_an_edit_that_changes_no_bytes_costs_one_stage(toy):
    toy.set(threshold=11)
    assert sorted(toy.run()) == ["clean", "draw", "fit"]
    assert toy.cut_off == {"results/model.json", "results/model.svg"}
    assert toy.plan() == {}
