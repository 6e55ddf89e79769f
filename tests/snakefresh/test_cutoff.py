"""A job that would do the same again ends at once, within the same run; so do those after it."""

import signal

import pytest
from toys import make_workflow

pytestmark = pytest.mark.slow

CLEAN, MODEL, DRAWING = "results/clean.csv", "results/model.json", "results/model.svg"
LIBRARY, SCRIPT = "scripts/mylib/model.py", "scripts/fit.py"


def test_an_edit_that_changes_no_bytes_stops_at_the_first_result_that_is_the_same(toy):
    before, time = toy.results(), (toy / DRAWING).stat().st_mtime_ns
    toy.set(threshold=11)
    assert toy.makes("clean", "fit", "draw")
    assert toy.cut_off == {MODEL, DRAWING}
    assert toy.results() == before
    assert (toy / DRAWING).stat().st_mtime_ns > time
    toy.set(threshold=10)  # an undo is an edit like any other
    assert toy.makes("clean", "fit", "draw")
    assert toy.cut_off == {MODEL, DRAWING}
    toy.set(threshold=100)
    assert toy.makes("clean", "fit", "draw")
    assert toy.cut_off == set()


def test_code_that_does_the_same_stops_as_well(toy):
    toy.replace(LIBRARY, "return round(", "return 0 + round(")
    assert toy.makes("fit", "draw")
    assert toy.cut_off == {DRAWING}


def test_a_job_whose_own_code_was_edited_is_not_cut_off(toy):
    toy.set(threshold=11)
    toy.replace(LIBRARY, "return round(", "return 1 + round(")
    assert toy.makes("clean", "fit", "draw")
    assert toy.cut_off == set()


def test_after_a_cutoff_code_that_what_was_cut_off_has_executed_still_counts(toy):
    toy.set(threshold=11)
    toy.run()
    assert MODEL in toy.cut_off
    toy.replace(LIBRARY, "return round(", "return 1 + round(")
    assert toy.makes("fit", "draw")


@pytest.mark.parametrize(
    ("arguments", "ran", "cut_off"),
    [
        (["--forceall"], ["clean", "draw", "fit", "title"], set()),
        (["--forcerun", "fit"], ["draw", "fit"], {DRAWING}),
        (["--forcerun", MODEL], ["draw", "fit"], {DRAWING}),
        (["--forcerun", "clean"], ["clean", "draw", "fit"], {MODEL, DRAWING}),
        (["--force", MODEL], ["fit"], set()),
        (["--force", MODEL, DRAWING], ["draw", "fit"], set()),
    ],
    ids=["all", "a rule", "a result", "the first rule", "a target", "two targets"],
)
def test_what_is_forced_is_not_cut_off(toy, arguments, ran, cut_off):
    before = toy.results()
    toy.write(CLEAN, "x,y\n1,1\n") if "clean" in ran else None  # and it mends what was damaged
    assert sorted(toy.run(*arguments)) == ran
    assert toy.cut_off <= cut_off  # what follows may be cut off
    assert toy.results() == before
    assert toy.plan() == {}


def test_repeats_of_a_benchmark_are_not_cut_off(toy):
    toy.append(SCRIPT, "    print('it was fitted')\n")
    line = 'benchmark:\n        repeat("results/fit.tsv", 3)\n    '
    toy.replace("Snakefile", 'message:\n        "fit', f'{line}message:\n        "fit')
    toy.run()
    assert toy.output.count("it was fitted") == 3
    assert MODEL not in toy.cut_off
    assert len(toy.read("results/fit.tsv").splitlines()) == 4
    assert toy.plan() == {}
    toy.set(threshold=11)
    assert toy.makes("clean", "fit", "draw")  # nothing is measured, but it is no error


@pytest.fixture
def two_outputs(toy):
    output = f'        "{MODEL}",\n'
    toy.replace("Snakefile", f"{output}    message", f'{output}        "results/log",\n    message')
    toy.append(SCRIPT, "    open(snakemake.output[1], 'w').write('fitted')\n")
    assert toy.makes("fit", "draw")
    return toy


def test_all_of_several_outputs_must_be_the_same(two_outputs):
    two_outputs.set(threshold=11)
    assert two_outputs.makes("clean", "fit", "draw")
    assert two_outputs.cut_off == {MODEL, DRAWING}
    two_outputs.write("results/log", "damaged")
    two_outputs.set(threshold=10)
    two_outputs.run()
    assert MODEL not in two_outputs.cut_off
    assert two_outputs.read("results/log") == "fitted"


def test_one_of_several_outputs_deleted(two_outputs):
    two_outputs.delete("results/log")
    assert "fit" in two_outputs.run("results/log")
    assert two_outputs.read("results/log") == "fitted"
    assert two_outputs.plan() == {}


def test_an_output_that_is_not_made_is_an_error_even_if_it_was_there_before(two_outputs):
    two_outputs.replace(SCRIPT, "snakemake.output[1], 'w'", "'elsewhere.txt', 'w'")
    for _ in range(2):
        two_outputs.fails()
        assert {"fit", "draw"} == {*two_outputs.plan()}


def test_a_job_that_kills_itself_is_not_cut_off_next_time(toy):
    """Its record went first."""
    source = toy.read(LIBRARY)
    toy.set(threshold=11)
    kill = f"import os\n    os.kill(os.getpid(), {int(signal.SIGKILL)})\n    return"
    toy.replace(LIBRARY, "return round", f"{kill} round")
    toy.fails()
    toy.write(LIBRARY, source)
    assert toy.makes("fit", "draw")
    assert MODEL not in toy.cut_off


# A chain: each epoch continues from the checkpoint of the one before, which only saves work.
CHAIN = {
    "Snakefile": """
from snakefresh import watch

configfile: "config.yaml"

rule all:
    input: f"results/epoch-{config['epochs']}.txt"

def start(wildcards):
    n = int(wildcards.n)
    return [f"results/epoch-{n - 1}.txt"] if n > 1 else []

rule prepare:
    output: "results/data.txt"
    message: "prepare{params.why}"
    script: "scripts/prepare.py"

rule train:
    input:
        data="results/data.txt",
        start=start,
    output: "results/epoch-{n}.txt"
    message: "train {wildcards.n}{params.why}"
    script: "scripts/train.py"

watch(
    workflow,
    settings=config,
    reads={"prepare": ["scale"], "train": ["rate"]},
    shortcuts=["start"],
)
""",
    "config.yaml": "epochs: 2\nscale: 1\nrate: 1\n",
    "scripts/prepare.py": """
from snakefresh import recorded

with recorded(snakemake) as settings:
    with open(snakemake.output[0], "w") as file:
        file.write("3" if settings["scale"] else "4")
""",
    "scripts/train.py": """
from snakefresh import recorded

from mylib.network import init, step

with recorded(snakemake) as settings:
    data = int(open(snakemake.input.data).read())
    start = snakemake.input.get("start")
    weight = int(open(start[0]).read()) if start else init()
    with open(snakemake.output[0], "w") as file:
        file.write(str(step(weight, data, settings["rate"])))
""",
    "scripts/mylib/network.py": """
def init():
    return 5


def step(weight, data, rate):
    return weight * data + rate
""",
}


@pytest.fixture
def chain(tmp_path):
    toy = make_workflow(tmp_path / "a chain", CHAIN)
    assert list(toy.run()) == ["prepare", "train 1", "train 2"]
    assert toy.plan() == {}
    return toy


def expected(epochs, weight=5, data=3):
    for _ in range(epochs):
        weight = weight * data + 1
    return str(weight)


def test_more_epochs_cost_only_the_added_ones(chain):
    chain.set(epochs=3)
    assert chain.makes("train 3")
    assert chain.read("results/epoch-3.txt") == expected(3)
    chain.set(epochs=1)
    assert chain.plan() == {}


@pytest.mark.parametrize("deleted", [False, True])
def test_an_edit_of_what_only_the_first_epoch_executed_runs_all(chain, deleted):
    if deleted:
        chain.delete("results/epoch-1.txt")
        assert chain.plan() == {}
    chain.replace("scripts/mylib/network.py", "return 5", "return 6")
    assert chain.makes("train 1", "train 2")
    assert chain.cut_off == set()
    assert chain.read("results/epoch-2.txt") == expected(2, weight=6)


@pytest.mark.parametrize("deleted", [False, True])
def test_epochs_are_cut_off_after_a_step_that_changes_no_data(chain, deleted):
    if deleted:
        chain.delete("results/epoch-1.txt")
    chain.set(scale=2)
    chain.run()
    assert "results/epoch-2.txt" in chain.cut_off
    assert chain.read("results/epoch-2.txt") == expected(2)
    assert chain.plan() == {}


def test_data_that_changed_trains_all_again(chain):
    chain.set(scale=0)
    assert chain.makes("prepare", "train 1", "train 2")
    assert chain.cut_off == set()
    assert chain.read("results/epoch-2.txt") == expected(2, data=4)


def test_an_added_epoch_after_an_edit_of_the_step_trains_all_again(chain):
    chain.replace("scripts/mylib/network.py", "weight * data", "weight + data")
    chain.set(epochs=3)
    assert chain.makes("train 1", "train 2", "train 3")
    assert chain.read("results/epoch-3.txt") == "17"
