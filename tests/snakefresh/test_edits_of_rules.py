"""What a stage depends on besides code: its settings, its rule, its input files."""

import os

import pytest
from toys import append, both, delete, replace, write

AFTER, TITLE = ["fit", "draw"], ["title", "draw"]


def setting(**settings):
    return lambda toy: toy.set(**settings)


def in_snakefile(old, new):
    return replace("Snakefile", old, new)


NEW_SCRIPT = (
    "from snakefresh import recorded\n\nwith recorded(snakemake) as settings:\n"
    "    open(snakemake.output[0], 'w').write(settings['title'] + '!')\n"
)
EDITS = {
    "a setting": (setting(degree=2), AFTER),
    "a setting of the first stage": (setting(threshold=100), ["clean", *AFTER]),
    "a setting of the second parent": (setting(title="two"), TITLE),
    "two settings swapped": (setting(title="a", label="one"), TITLE),
    "another type": (replace("config.yaml", "title: one", "title: 1"), TITLE),
    "a key of snakemake.config": (setting(label="b"), TITLE),
    "a plain param": (in_snakefile("flavour=1", "flavour=2"), TITLE),
    "a param that a function gives": (in_snakefile("=1,", "=lambda wildcards: 2,"), TITLE),
    "a new param": (in_snakefile("flavour=1", "flavour=1, more=2"), TITLE),
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
        TITLE,
    ),
    "another script": (
        both(
            write("scripts/other.py", NEW_SCRIPT),
            in_snakefile('"scripts/title.py"', '"scripts/other.py"'),
        ),
        TITLE,
    ),
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
    "another target": (
        in_snakefile(
            '"results/model.svg",\n\n\nrule clean', '"results/clean.csv",\n\n\nrule clean'
        ),
        [],
    ),
    "no record": (lambda toy: toy.record("results/model.svg").unlink(), ["draw"]),
    "no result": (delete("results/model.svg"), ["draw"]),
}
# What the first of the stages says why.
REASONS = {
    "a setting": "degree: 1 -> 2",
    "the library of one stage": "model.py: moment changed",
    "another script": "another script",
    "a file that no rule makes": "data.csv changed",
    "no record": "there is no record of how its result was made",
    "no result": "its result is missing",
}
HOW_IT_RUNS = """rule title:
    threads: 2
    priority: 5
    retries: 2
    group: "one"
    log: "title.log"
"""
WITHOUT_EFFECT = [
    setting(another=1),  # nobody reads it
    replace("config.yaml", "other: 0\n", ""),  # nor this
    both(
        replace("config.yaml", "threshold: 10\n", ""),
        append("config.yaml", "# The highest.\nthreshold:   0xA  # 10, as before\n"),
    ),
    in_snakefile("flavour=1", "flavour=lambda wildcards: 1"),
    in_snakefile("settings=config", "settings=lambda wildcards: config"),
    in_snakefile('"fit{params.why}"', '"fit it{params.why}"'),
    in_snakefile("rule fit:", "rule more:\n    output: 'b'\n    shell: 'touch b'\n\n\nrule fit:"),
    in_snakefile("rule title:\n", HOW_IT_RUNS),
    lambda toy: move_rule_to_the_end(toy, "clean"),
    append("Snakefile", "# A comment.\n"),
    append("scripts/fit.py", "# A comment.\n"),
    replace("scripts/mylib/points.py", "return len(", "return 1 + len("),  # which no stage calls
    write("scripts/mylib/json.py"),  # where no name is looked up
    write("scripts/mylib/threadpoolctl.py"),
    write("scripts/mylib/unused.py", "a syntax error in what nobody imports"),
]


def move_rule_to_the_end(toy, name):
    text = toy.read("Snakefile")
    start = text.index(f"rule {name}:")
    end, last = text.index("rule ", start + 1), text.index("watched =")
    toy.write("Snakefile", text[:start] + text[end:last] + text[start:end] + text[last:])


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_runs_what_depends_on_it_and_says_why(toy, what):
    edit, stages = EDITS[what]
    before = {path: path.stat() for path in (toy / "data.csv", toy / "config.yaml")}
    edit(toy)
    for path, stat in before.items():  # nothing may depend on times
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    plan = toy.plan()
    assert sorted(plan) == sorted(stages)
    assert not stages or REASONS.get(what, "") in plan[stages[0]]


def test_edits_without_an_effect_run_nothing_and_hide_no_others(toy):
    for edit in WITHOUT_EFFECT:
        edit(toy)
    assert toy.plan() == {}
    toy.set(threshold=100)
    plan = toy.plan("--cores", "2")
    assert sorted(plan) == ["clean", "draw", "fit it"]
    assert "follows clean" in plan["fit it"]


def test_an_edit_that_changes_no_bytes_costs_one_stage(toy):
    toy.set(threshold=11)
    assert sorted(toy.run()) == ["clean", "draw", "fit"]
    assert toy.cut_off == {"results/model.json", "results/model.svg"}
    assert toy.plan() == {}
