"""A search trains what its definition asks for and no more, whatever happens on the way.

Where epochs are counted, the training of the project's copy of the library writes a line for each.
"""

import os
import shutil
import signal
import time
from collections import Counter

import pytest

from kills import results, start
from project import EDIT, Project, append, copy_with_small_data, set_key
from scratchnet.files import read_csv
from scratchnet.planning.runs import Runs
from scratchnet.planning.search import read_promoted
from scratchnet.planning.yaml_file import read_yaml

# Appended to the copy's loop.py: each epoch is written down as soon as it is trained. The run whose
# learning rate is in the file `fail` has no memory.
COUNTED = """
_train_and_validate_uncounted = _train_and_validate

def _train_and_validate(training, data, settings, epoch, *others):
    import os, time
    rate = str(settings["training.learning_rate"])
    if os.path.exists("../fail") and open("../fail").read() == rate:
        raise MemoryError("not enough of it")
    found = _train_and_validate_uncounted(training, data, settings, epoch, *others)
    with open("counted", "a") as file:  # in the folder of the project
        file.write(f"{sorted(settings.items())} epoch {epoch}\\n")
    time.sleep(float(os.environ.get("SECONDS_PER_EPOCH", "0")))
    return found
"""
SPACE = {
    "training.learning_rate": {"log_uniform": [0.01, 1.0]},
    "model.hidden": {"choice": [[], [6]]},
}
SEARCH = {"trials": 6, "space": SPACE, "epochs": [1, 2, 4], "keep": 0.5}
EPOCHS = 6 * 1 + 3 * 1 + 1 * 2  # of SEARCH: half of six go on, and of these one


class Search:
    """The search of a project, and what is there of it."""

    def __init__(self, project):
        self.project, self.results = project, project.results
        self.log = project.folder / "counted"

    def define(self, settings=None, **search):
        self.project.configure(
            {"validation_fraction": 0.25, "search": SEARCH | search} | (settings or {})
        )

    @property
    def runs(self):
        return Runs(read_yaml(self.project.folder / "config.yaml"))

    @property
    def folder(self):
        return self.project.results / "searches" / self.runs.search.name

    @property
    def table(self):
        """The target that needs all rankings, and nothing of the winner."""
        return f"results/searches/{self.runs.search.name}/trials.csv"

    def rankings(self):
        return [read_csv(path) for path in sorted(self.folder.glob("rung-*.csv"))]

    def winner(self):
        (run,) = read_promoted(self.folder / f"rung-{len(self.runs.search.rungs)}.csv")
        return run

    def epochs(self):
        """How many epochs were trained so far; none of them twice."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        assert not [line for line, n in Counter(lines).items() if n > 1]
        return len(lines)

    def trains(self):
        """How many epochs the next call trains; after it, nothing is left to do."""
        before = self.epochs()
        self.project.run(self.table)
        assert self.project.plan(self.table) == {}
        return self.epochs() - before


def count_epochs(project):
    """The search SEARCH in a project, whose trained epochs are counted."""
    append(project.folder / "workflow/scripts/scratchnet/training/loop.py", COUNTED)
    search = Search(project)
    search.define()
    return search


@pytest.fixture
def search(new_project):
    return count_epochs(new_project)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A search that nobody disturbed, on one core."""
    folder = tmp_path_factory.mktemp("undisturbed") / "a project"
    search = count_epochs(copy_with_small_data(folder))
    search.project.run("--cores", "1")
    return search


@pytest.fixture
def ended(undisturbed, tmp_path):
    """A copy of `undisturbed`, in which no epochs were counted yet."""
    folder = tmp_path / "a finished search"
    shutil.copytree(undisturbed.project.folder, folder, symlinks=True)
    (folder / "counted").unlink()
    return Search(Project(folder))


def all_results(project):
    """{path: bytes} of all that does not say how long it took."""
    searches = sorted((project.results / "searches").rglob("*"))
    return results(project) | {
        path.relative_to(project.results).as_posix(): path.read_bytes()
        for path in searches
        if path.is_file()
    }


def test_a_search_ends_with_its_winner(finished_search):
    search = Search(finished_search)
    first, last = search.rankings()
    assert ([len(rows) for rows in (first, last)]) == [3, 1]
    assert [row["goes_on"] for row in first] == ["yes", "no", "no"]
    assert first[0]["run"] == last[0]["run"] == search.winner()
    epochs = sorted(path.stem for path in search.results.glob("runs/*/checkpoints/*.npz"))
    assert epochs == ["epoch-0001"] * 3 + ["epoch-0002"]
    (metrics,) = search.results.glob("runs/*/*/metrics.json")
    assert metrics.parent == search.results / "runs" / search.winner() / "epoch-0002"
    assert (metrics.parent / "history.png").exists()
    assert (search.results / "latest").readlink().name == search.winner()
    assert [row["run"] for row in read_csv(search.results / "summary.csv")] == [search.winner()]
    assert next(iter(read_csv(search.folder / "trials.csv")))["run"] == search.winner()
    assert {path.name for path in search.folder.glob("*.png")} == {"rungs.png", "trials.png"}
    output = (search.project.folder / "output").read_text()
    assert "4 train, " in output
    assert "Reused: nothing\n" in output
    assert f"{search.folder.name}/trials.csv has all 3" in output
    assert f"{search.winner()}/epoch-0002/config.yaml has its settings" in output


def test_the_settings_of_the_winner_are_its_configuration(search_project):
    assert search_project.plan() == {}
    search = Search(search_project)
    settings = search.results / f"runs/{search.winner()}/epoch-0002/config.yaml"
    shutil.copy(settings, search_project.folder / "config.yaml")
    assert search_project.plan() == {"summarize": 1}


@pytest.mark.slow
def test_the_epochs_of_a_search(undisturbed):
    assert undisturbed.epochs() == EPOCHS
    assert [len(rows) for rows in undisturbed.rankings()] == [6, 3, 1]
    assert "Nothing to be done" in undisturbed.project.run()
    assert undisturbed.epochs() == EPOCHS


@pytest.mark.slow
def test_the_cores_make_no_difference(undisturbed, search):
    search.project.run("--cores", "4")
    assert all_results(search.project) == all_results(undisturbed.project)
    assert search.epochs() == EPOCHS


@pytest.mark.slow
@pytest.mark.parametrize("rung", [1, 2, 3])
def test_a_kill_in_a_rung_costs_what_was_running(undisturbed, search, rung, monkeypatch):
    monkeypatch.setenv("SECONDS_PER_EPOCH", "0.7")
    epochs = SEARCH["epochs"][rung - 1]
    process = start(search.project)
    deadline = time.monotonic() + 300
    while not is_training(search.project, epochs):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    monkeypatch.delenv("SECONDS_PER_EPOCH")
    trained = finished_epochs(search.project)
    search.log.write_text("")  # what the killed jobs had begun counts for nothing
    search.project.run()
    assert search.epochs() == EPOCHS - trained
    assert all_results(search.project) == all_results(undisturbed.project)
    assert search.project.plan() == {}


def is_training(project, epochs):
    """Whether a job is training a trial to this rung."""
    logs = project.results.glob(f"logs/train/*/epoch-{epochs:04}.log")
    done = {path.parts[-3] for path in project.results.glob(f"runs/*/*/epoch-{epochs:04}.npz")}
    return bool({path.parent.name for path in logs} - done)


def finished_epochs(project):
    """The epochs in the checkpoints with a record, the last of each run."""
    last = {}
    for path in sorted(project.results.glob("runs/*/checkpoints/.epoch-*.npz.record")):
        last[path.parts[-3]] = int(path.name[7:11])
    return sum(last.values())


@pytest.mark.slow
def test_what_is_added_is_trained_and_nothing_else(ended):
    before = all_results(ended.project)
    # Four more trials: five of ten go on, and of these two.
    known = promoted(ended)
    ended.define(trials=10)
    more = ended.trains()
    new = promoted(ended)
    assert more == 4 + added(known, new, 0, 1) + added(known, new, 1, 2)
    # Another rung: the two in the last one are ranked, and one goes on.
    ended.define(trials=10, epochs=[1, 2, 4, 8])
    assert ended.trains() == 4
    # A wider share, with the rungs of before.
    known = [[*one, *other] for one, other in zip(known, new)]  # whoever went on before
    kept = promoted(ended)[2]
    ended.define(trials=10, keep=0.8)
    more = ended.trains()
    new = promoted(ended)
    assert more == added(known, new, 0, 1) + 2 * len({*new[1]} - {*known[1]} - {*kept})
    # What was there before is there still: going back costs nothing.
    ended.define()
    assert ended.project.plan(ended.table) == {}
    assert {path: all_results(ended.project)[path] for path in before} == before


def promoted(search):
    """The runs that went on from each rung."""
    return [[row["run"] for row in rows if row["goes_on"] == "yes"] for rows in search.rankings()]


def added(known, new, rung, epochs):
    """How many epochs those cost who went on from a rung, counted from 0, and had not before."""
    return epochs * len({*new[rung]} - {*known[rung]})


@pytest.mark.slow
def test_a_search_and_a_sweep_share_their_runs(search):
    """A sweep over one of the trials, trained further than the first two rungs."""
    trial = search.runs.settings[2]
    values = {key: [trial[key]] for key in SPACE}
    search.project.configure(
        {"validation_fraction": 0.25, "training": {"batch_size": 25, "epochs": 3}, "sweep": values}
    )
    search.project.run()
    assert search.epochs() == 3
    search.define({"training": {"batch_size": 25}})
    assert search.trains() < EPOCHS
    saved = EPOCHS + 3 - search.epochs()
    assert saved == (
        3
        if search.winner() == search.runs.rows[2]["run"]
        else 1 + (search.runs.rows[2]["run"] in promoted(search)[0])
    )
    # And the other way round.
    before = search.epochs()
    search.project.run()
    settings = search.results / f"runs/{search.winner()}/epoch-0004/config.yaml"
    shutil.copy(settings, search.project.folder / "config.yaml")
    search.project.train()
    assert search.epochs() == before


@pytest.mark.slow
def test_a_trial_that_diverges_is_ranked_last_and_not_trained_again(search):
    space = {
        "training.learning_rate": {"choice": [0.1, 0.2, 1e38]},
        "model.hidden": {"choice": [[6], [5]]},
    }
    search.define(trials=12, space=space)
    search.project.run(search.table)
    first = search.rankings()[0]
    diverged = [row for row in first if row["why"].startswith("diverged in epoch 1: the ")]
    assert diverged == [row for row in first if row["training.learning_rate"] == "1e+38"] != []
    assert diverged == first[-len(diverged) :]
    assert {row["goes_on"] for row in diverged} == {"no"}
    assert search.project.plan(search.table) == {}
    # As an ordinary run, it fails as it would have before.
    search.project.configure(
        {
            "validation_fraction": 0.25,
            "model": {"hidden": eval(diverged[0]["model.hidden"])},
            "training": {"batch_size": 25, "epochs": 1, "learning_rate": 1e38},
        }
    )
    process = search.project.snakemake()
    assert process.returncode == 1
    assert "DivergenceError: training diverged in epoch 1: the " in process.stdout + process.stderr


@pytest.mark.slow
def test_if_all_trials_diverge_the_search_says_so(search):
    search.define(
        space={
            "training.learning_rate": {"uniform": [1e38, 2e38]},
            "model.hidden": {"choice": [[6]]},
        }
    )
    for trained_again in (True, False):
        process = search.project.snakemake()
        output = process.stdout + process.stderr
        assert process.returncode == 1
        assert "DivergenceError: all 6 trials diverged" in output
        assert ("Training hidden [6], learning_rate " in output) == trained_again


@pytest.mark.slow
def test_a_failed_trial_holds_up_the_ranking_and_not_the_other_trials(search):
    victim, fail = search.runs.settings[3], search.project.folder.parent / "fail"
    fail.write_text(str(victim["training.learning_rate"]))
    process = search.project.snakemake(search.table)
    assert process.returncode == 1
    assert search.epochs() == 5
    assert not search.rankings()
    fail.unlink()
    assert search.trains() == EPOCHS - 5
    assert len(search.rankings()) == 3


@pytest.mark.slow
def test_the_end_of_a_run_names_the_trials_that_failed(search_project):
    script = search_project.folder / "workflow/scripts/train.py"
    runs = Search(search_project).runs
    victim = runs.rows[1]["run"]
    source = script.read_text()
    script.write_text(
        source.replace(
            "    train_to_checkpoint(",
            f"    if snakemake.wildcards.run == {victim!r}:\n"
            "        raise MemoryError\n"
            "    train_to_checkpoint(",
        )
    )
    process = search_project.snakemake()
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert "2 of 3 trials of rung 1 are trained.\n" in output
    assert (
        f"\n  {runs.describe(victim)} ({victim}): . Finished results are kept: close other programs"
        in output
    )


@pytest.mark.slow
def test_what_is_deleted_is_made_again_and_nothing_else(search_project):
    search = Search(search_project)
    before, winner = all_results(search.project), search.winner()
    run = search.results / "runs" / winner
    loser = search.rankings()[0][-1]["run"]
    for path, expected in {
        search.folder / "rung-1.csv": {"rank_rung": 1},
        search.folder / "rung-2.csv": {"rank_rung": 1},
        search.folder / "trials.csv": {"compare_trials": 1},
        run / "epoch-0002/metrics.json": {"evaluate": 1},
        run / "checkpoints/epoch-0002.npz": {"train": 1},
        search.results / "runs" / loser / "checkpoints/epoch-0001.npz": {"train": 1},
        search.results / "latest": {"summarize": 1},
    }.items():
        path.unlink()
        assert search_project.plan() == expected, path.name
        search_project.run()
        assert search_project.plan() == {}
    assert all_results(search_project) == before
    (run / "checkpoints/epoch-0001.npz").unlink()
    assert search_project.plan() == {"train": 1}


@pytest.mark.slow
def test_an_edit_of_the_ranking_trains_nothing(ended):
    before = all_results(ended.project)
    append(ended.project.folder / "workflow/scripts/rank_rung.py", EDIT)
    # The plan goes as far as is known before the first rung is ranked.
    assert ended.project.plan(ended.table) == {"rank_rung": 3, "compare_trials": 1}
    assert ended.trains() == 0
    assert {path for path, data in all_results(ended.project).items() if before[path] != data} == {
        path for path in before if path.startswith("searches/") and path.endswith(".csv.record")
    }


@pytest.mark.slow
def test_an_edit_of_training_trains_everything_again(ended):
    before = all_results(ended.project)
    append(ended.project.folder / "workflow/scripts/train.py", EDIT)
    assert ended.trains() == EPOCHS
    after = all_results(ended.project)
    assert {path for path in before if before[path] != after[path]} == {
        path for path in before if path.endswith(".csv.record")
    }


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--forceall", "--forcerun=train"])
def test_forcing_makes_the_same_again(ended, option):
    before = all_results(ended.project)
    ended.project.run(ended.table, option)
    assert ended.epochs() == EPOCHS
    assert all_results(ended.project) == before
    assert ended.project.plan(ended.table) == {}


@pytest.mark.slow
def test_touching_accepts_the_search(ended):
    append(ended.project.folder / "workflow/scripts/train.py", EDIT)
    assert "train" in ended.project.plan(ended.table)
    ended.project.run(ended.table, "--touch")
    assert ended.project.plan(ended.table) == {}


@pytest.mark.slow
def test_results_on_request_are_those_of_the_winner_and_the_report_shows_the_search(search_project):
    search_project.run("demo")
    assert (search_project.results / "latest/epoch-0002/demo.html").exists()
    assert len([*search_project.results.glob("runs/*/*/demo.html")]) == 1
    search_project.run("--report", "report.html")
    page = (search_project.folder / "report.html").read_text()
    for figure in ("Trials by epoch", "Trials by setting", "All trials"):
        assert figure in page
    assert "of 3 trials, which differ in model.hidden, training.learning_rate" in page


@pytest.mark.slow
def test_pruning_keeps_the_search(search_project):
    def prune():
        return search_project.tool("prune.py", "config.yaml").stdout

    name = Search(search_project).runs.search.name
    assert prune().endswith("0.0 MB in 0 files.\n")
    set_key(search_project, "search.trials", 2)
    assert f"MB  {name}\n" in prune()
