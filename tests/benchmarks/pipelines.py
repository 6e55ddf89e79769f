"""Whole runs of the workflow: a clean run, a sweep, nothing to do, edits, and planning."""

import json
import shutil
import sys
import tempfile
from functools import cache, partial
from pathlib import Path

from project import EDIT, append, copy_workflow
from timing import CHECKOUT, CORES, HERE, RAW, check_losses, seconds_of, take_turns
from trainings import train_sweep

SCRATCH = tempfile.TemporaryDirectory(prefix="bench-")
LEARNING_RATES = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5]
SEEDS = [0, 1, 2, 3]
EMPTY = "an empty Snakefile"


class Prepared:
    """The workflow in a new folder, with the raw files."""

    def __init__(self, settings):
        self.project = copy_workflow(new_folder())
        self.folder, self.results = self.project.folder, self.project.results
        self.configure(settings)
        self.raw = self.results / "data" / "mnist"
        shutil.copytree(RAW, self.raw)

    def configure(self, settings):
        (self.folder / "config.yaml").write_text(json.dumps(settings))

    def forget_all_but_raw_files(self):
        for path in self.results.iterdir():
            if path.name != "data":
                path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
        for path in (self.results / "data").glob("mnist-*"):
            shutil.rmtree(path)
        shutil.rmtree(self.folder / ".snakemake", ignore_errors=True)

    def run_anew(self):
        """Run from the raw files to the end; return the seconds, and the loss of each run."""
        self.forget_all_but_raw_files()
        seconds = snakemake(self.folder)
        metrics = self.results.glob("runs/*/epoch-0020/metrics.json")
        return seconds, sorted(json.loads(path.read_text())["train_loss"] for path in metrics)

    @property
    def arrays(self):
        (folder,) = (self.results / "data").glob("mnist-*")
        return folder


@cache
def prepared():
    """The default workflow, run to its end once."""
    made = Prepared({})
    made.run_anew()
    return made


def new_folder():
    return Path(tempfile.mkdtemp(dir=SCRATCH.name))


def snakemake(folder, *arguments):
    """Run Snakemake in `folder`; return its seconds."""
    command = [sys.executable, "-m", "snakemake", "--cores", len(CORES), *arguments]
    return seconds_of(command, folder)


def clean(names, rounds):
    """From the raw files to the plots: the pipeline, one of empty jobs, and scripts of one file.

    The second has the same jobs, which do nothing, and the training of that round.
    """
    project = prepared()
    jobs = write_empty_jobs(project)
    training = []

    def run_pipeline():
        measured = project.run_anew()
        (record,) = project.results.glob("runs/*/checkpoints/epoch-0020.json")
        training.append(json.loads(record.read_text())["seconds"])
        return measured

    def run_empty_jobs():
        for path in jobs.glob("*.done"):
            path.unlink()
        shutil.rmtree(jobs / ".snakemake", ignore_errors=True)
        return snakemake(jobs) + training[-1], [None]

    def run_script(name):
        out = new_folder()
        seconds = seconds_of([sys.executable, HERE / f"{name}_script.py", project.raw, out], out)
        return seconds, [json.loads((out / "metrics.json").read_text())["train_loss"]]

    ours = {"scratchnet": run_pipeline, "empty jobs": run_empty_jobs}  # in this order
    contenders = {name: ours.get(name, partial(run_script, name)) for name in names}
    seconds, losses = take_turns(contenders, rounds)
    check_losses(losses, "scratchnet", dict.fromkeys(losses, 0.02))
    return seconds


# The stages that follow another one than `evaluate`.
BEFORE = {"download": None, "preprocess": "download", "train": "preprocess", "evaluate": "train"}
EMPTY_JOB = """
rule {stage}:
    input: {inputs}
    output: "{stage}.done"
    script: "{script}.py"
"""


def write_empty_jobs(project):
    """Write a workflow of the jobs that `project` has just run; return its folder.

    A job is a script that makes an empty file. Those of the plots import Matplotlib first.
    """
    folder = new_folder()
    # Snakemake keeps the time that each job took in a file that is named after the rule.
    files = (project.results / "benchmarks").rglob("*.tsv")
    stages = {path.relative_to(project.results / "benchmarks").parts[0] for path in files}
    stages = sorted(stage.removesuffix(".tsv") for stage in stages)
    rules = [f"rule all:\n    input: {[f'{stage}.done' for stage in stages]}\n"]
    for stage in stages:
        before = BEFORE.get(stage, "evaluate")
        inputs = repr(f"{before}.done") if before in stages else ""
        script = "plot" if stage.startswith("plot_") else "job"
        rules.append(EMPTY_JOB.format(stage=stage, inputs=inputs, script=script))
    (folder / "Snakefile").write_text("".join(rules))
    job = "open(snakemake.output[0], 'w').close()\n"
    (folder / "job.py").write_text(job)
    (folder / "plot.py").write_text("import matplotlib.figure\n" + job)
    shutil.copytree(CHECKOUT / "profiles" / "default", folder / "profiles" / "default")
    return folder


def sweep(names, rounds, learning_rates=LEARNING_RATES, seeds=SEEDS):
    """Runs of 20 epochs. Ours from the raw files to the tables and plots that compare them, each
    run tested; the others only train, on arrays that are there.
    """
    keys = {"training.learning_rate": learning_rates, "training.seed": seeds}
    project = Prepared({"model": {"initializer": "glorot_uniform"}, "sweep": keys})
    arrays = prepared().arrays
    contenders = {
        name: partial(train_sweep, name, arrays, learning_rates, seeds) for name in names
    } | {"scratchnet": project.run_anew}
    seconds, losses = take_turns(contenders, rounds, warm_up=0)
    check_losses(losses, "scratchnet", dict.fromkeys(losses, 0.02))
    return seconds


def idle(rounds):
    """Nothing to do, and Snakemake with an empty workflow."""
    finished, empty = prepared(), write_empty_snakefile()
    contenders = {
        "scratchnet": lambda: (snakemake(finished.folder), []),
        EMPTY: lambda: (snakemake(empty), []),
    }
    return take_turns(contenders, rounds)[0]


def edits(rounds):
    """A clean run, and what is run again after edits of the code of preprocessing.

    A comment makes nothing stale. Other code that makes the same arrays runs preprocessing again,
    and the training stays (early cutoff).
    """
    project = Prepared({})
    source = project.folder / "workflow/scripts/scratchnet/data/preprocessing.py"

    def run_after_edit(text):
        append(source, text)
        return snakemake(project.folder), []

    contenders = {
        "a clean run": lambda: (project.run_anew()[0], []),
        "after an edit that changes no array": partial(run_after_edit, EDIT),
        "after the edit of a comment": partial(run_after_edit, "\n# An edit.\n"),
        "nothing to do": lambda: (snakemake(project.folder), []),
    }
    return take_turns(contenders, rounds, warm_up=0)[0]


def planning(rounds, sizes=(1, 100, 1000, 10_000)):
    """A dry run for so many runs of which none is done, and Snakemake with an empty workflow."""
    project, empty = Prepared({}), write_empty_snakefile()
    snakemake(project.folder, "--dry-run")  # the first one in a folder reads more

    def plan(n):
        project.configure({"sweep": {"training.seed": list(range(n))}} if n > 1 else {})
        return snakemake(project.folder, "--dry-run"), []

    contenders = {EMPTY: lambda: (snakemake(empty), [])}
    contenders |= {f"{n} runs": partial(plan, n) for n in sizes}
    return take_turns(contenders, rounds, warm_up=0)[0]


def write_empty_snakefile():
    folder = new_folder()
    (folder / "Snakefile").write_text("")
    return folder
