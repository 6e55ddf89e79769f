"""A job that would do the same again ends at once, within the same run; so do those after it."""

import pytest
from toys import make_workflow

pytestmark = pytest.mark.slow

CLEAN, MODEL, DRAWING = "results/clean.csv", "results/model.json", "results/model.svg"


def test_an_edit_that_changes_no_bytes_stops_at_the_first_result_that_is_the_same(toy):
    before = toy.results()
    toy.set(threshold=11)
    assert toy.plans("clean", "fit", "draw")
    assert sorted(toy.run()) == ["clean", "draw", "fit"]
    assert toy.cut_off == {MODEL, DRAWING}
    assert toy.results() == before
    assert toy.plan() == {}


def test_an_edit_that_changes_some_bytes_is_not_cut_off_where_they_are_read(toy):
    toy.set(threshold=100)
    toy.run()
    assert toy.cut_off == set()
    assert toy.plan() == {}


def test_code_that_does_the_same_stops_as_well(toy):
    toy.replace("scripts/mylib/model.py", "return round(", "return 0 + round(")
    assert toy.plans("fit", "draw")
    toy.run()
    assert toy.cut_off == {DRAWING}
    assert toy.plan() == {}


def test_the_own_code_of_a_job_is_not_cut_off(toy):
    toy.set(threshold=11)
    toy.replace("scripts/mylib/model.py", "return round(", "return 1 + round(")
    toy.run()
    assert toy.cut_off == set()


def test_an_undo_after_a_cutoff_is_cut_off_again(toy):
    before = toy.results()
    toy.set(threshold=11)
    toy.run()
    toy.set(threshold=10)
    assert toy.plans("clean", "fit", "draw")
    toy.run()
    assert toy.cut_off == {MODEL, DRAWING}
    assert toy.plan() == {}
    assert toy.results() == before


def test_after_a_cutoff_every_later_edit_is_still_seen(toy):
    toy.set(threshold=11)
    toy.run()
    toy.set(threshold=100)
    toy.run()
    assert toy.cut_off == set()
    toy.replace("scripts/mylib/points.py", "csv.DictReader(file)", "[*csv.DictReader(file)][1:]")
    assert toy.plans("clean", "fit", "draw")


def test_a_result_that_is_cut_off_keeps_its_content_and_gets_a_new_time(toy):
    before = (toy / DRAWING).stat()
    toy.set(threshold=11)
    toy.run()
    assert (toy / DRAWING).stat().st_mtime_ns > before.st_mtime_ns
    assert (toy / DRAWING).stat().st_mtime_ns >= (toy / CLEAN).stat().st_mtime_ns


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
    assert sorted(toy.run(*arguments)) == ran
    assert toy.cut_off <= cut_off  # what follows may be cut off
    assert toy.results() == before
    assert toy.plan() == {}


def test_a_damaged_result_is_made_again_by_force(toy):
    before = toy.results()
    toy.write(CLEAN, "x,y\n1,1\n")
    toy.run("--forcerun", "clean")
    assert toy.results() == before


def test_repeats_of_a_benchmark_are_not_cut_off(toy):
    toy.append("scripts/fit.py", "    print('it was fitted')\n")
    toy.replace(
        "Snakefile",
        'message:\n        "fit',
        'benchmark:\n        repeat("results/fit.tsv", 3)\n    message:\n        "fit',
    )
    toy.run()
    assert toy.output.count("it was fitted") == 3
    assert MODEL not in toy.cut_off
    assert len(toy.read("results/fit.tsv").splitlines()) == 4
    assert toy.plan() == {}
    toy.set(threshold=11)
    toy.run()  # nothing to measure is no measurement, but it is no error either
    assert toy.plan() == {}


def with_two_outputs(toy):
    toy.replace(
        "Snakefile",
        f'        "{MODEL}",\n    message',
        f'        "{MODEL}",\n        "results/log.txt",\n    message',
    )
    toy.append(
        "scripts/fit.py",
        "    with open(snakemake.output[1], 'w') as file:\n        file.write('fitted')\n",
    )
    toy.run()
    assert toy.plan() == {}
    return toy


def test_all_of_several_outputs_must_be_the_same(toy):
    with_two_outputs(toy)
    toy.set(threshold=11)
    toy.run()
    assert {MODEL, "results/log.txt", DRAWING} <= toy.cut_off
    (toy / "results/log.txt").write_text("damaged")
    toy.set(threshold=10)
    toy.run()
    assert MODEL not in toy.cut_off
    assert toy.read("results/log.txt") == "fitted"


def test_one_of_several_outputs_deleted(toy):
    with_two_outputs(toy)
    (toy / "results/log.txt").unlink()
    assert "fit" in toy.plan("results/log.txt")
    toy.run("results/log.txt")
    assert toy.read("results/log.txt") == "fitted"
    assert toy.plan() == {}


def test_an_output_that_is_not_made_is_an_error_even_if_it_was_there_before(toy):
    with_two_outputs(toy)
    toy.replace("scripts/fit.py", "snakemake.output[1], 'w'", "'elsewhere.txt', 'w'")
    for _ in range(2):
        toy.fails()
        assert "fit" in toy.plan()


def test_a_job_that_was_killed_is_not_cut_off(toy):
    """Its record went first."""
    toy.set(threshold=11)
    toy.write("scripts/mylib/model.py", "import time\n" + toy.read("scripts/mylib/model.py"))
    toy.replace(
        "scripts/mylib/model.py",
        '    """The moments',
        '    open("started", "w")\n    time.sleep(60)\n    """The moments',
    )
    process = toy.start()
    toy.wait_for("started", process)
    toy.kill(process)
    toy.replace("scripts/mylib/model.py", '    open("started", "w")\n    time.sleep(60)\n', "")
    toy.replace("scripts/mylib/model.py", "import time\n", "")
    toy.run()
    assert MODEL not in toy.cut_off
    assert toy.plan() == {}


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


def expected(epochs, first=5, data=3):
    for _ in range(epochs):
        first = first * data + 1
    return str(first)


def test_more_epochs_cost_only_the_added_ones(chain):
    chain.set(epochs=3)
    assert list(chain.run()) == ["train 3"]
    assert chain.read("results/epoch-3.txt") == expected(3)
    chain.set(epochs=1)
    assert chain.plan() == {}


@pytest.mark.parametrize("deleted", [False, True])
def test_an_edit_of_what_only_the_first_epoch_executed_runs_all(chain, deleted):
    if deleted:
        (chain / "results/epoch-1.txt").unlink()
        assert chain.plan() == {}
    chain.replace("scripts/mylib/network.py", "return 5", "return 6")
    assert chain.plans("train 1", "train 2")
    chain.run()
    assert chain.cut_off == set()
    assert chain.read("results/epoch-2.txt") == expected(2, first=6)
    assert chain.plan() == {}


@pytest.mark.parametrize("deleted", [False, True])
def test_epochs_are_cut_off_after_a_step_that_changes_no_data(chain, deleted):
    if deleted:
        (chain / "results/epoch-1.txt").unlink()
    before = chain.read("results/epoch-2.txt")
    chain.set(scale=2)
    chain.run()
    assert "results/epoch-2.txt" in chain.cut_off
    assert chain.read("results/epoch-2.txt") == before
    assert chain.plan() == {}


def test_data_that_changed_trains_all_again(chain):
    chain.set(scale=0)
    chain.run()
    assert chain.cut_off == set()
    assert chain.read("results/epoch-2.txt") == expected(2, data=4)


def test_an_added_epoch_after_an_edit_of_the_step_trains_all_again(chain):
    chain.replace("scripts/mylib/network.py", "weight * data", "weight + data")
    chain.set(epochs=3)
    assert chain.plans("train 1", "train 2", "train 3")
    chain.run()
    assert chain.read("results/epoch-3.txt") == "17"
