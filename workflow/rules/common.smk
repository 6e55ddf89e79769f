# All the Python that the rules need: the configuration, which runs it asks for, where things lie.
import os
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.current_basedir).resolve().parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from scratchnet import pipeline, prediction_request
from scratchnet.config import check_yaml, resolve, swept
from scratchnet.errors import ConfigError
from scratchnet.fingerprint.tracker import Tracker
from scratchnet.summary import cost_table, short_table
from scratchnet.why import new, previous_runs

if not Path(pipeline.__file__).resolve().is_relative_to(SCRIPTS):  # by another module of a workflow
    raise WorkflowError(f"{pipeline.__file__} was imported before the library in {SCRIPTS}")

# Snakemake writes the path of Python into shell commands as it is: escape what a shell would split.
sys.executable = re.sub(r"\\?([ ()&'])", r"\\\1", sys.executable)

# The working directory's own config.yaml, or else (with --directory) the one of the checkout. In the
# folder of a workflow that uses this one as a module it would be that of the other.
IS_MODULE = not workflow.modifier.is_main_snakefile()
has_own_config = exists("config.yaml") and not IS_MODULE
CONFIG = "config.yaml" if has_own_config else workflow.source_path("../../config.yaml")

# A module may have a prefix. Snakemake puts it before the paths of rules, and before those that
# their functions return; what is looked up on the disk needs it as well.
PREFIXES = workflow.modifier.path_modifier


def explained(check, value):
    """What `check` makes of `value`; a mistake in it ends Snakemake with its explanation alone."""
    try:
        return check(value)
    except ConfigError as error:
        raise WorkflowError(str(error))


explained(check_yaml, CONFIG)


configfile: CONFIG


RUNS = explained(resolve, config)

RAW = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
    "source": "source.json",
}
RESULTS = Path(PREFIXES.replace_prefix("results/summary.csv", None)).parent
SUMMARY = RESULTS / "summary.csv"
ARRAYS = [f"{kind}_{split}" for split in ("train", "validation", "test") for kind in "XY"]

# What tables of all runs have rows for.
SWEPT = swept(config)
ROWS = pipeline.rows(RUNS, SWEPT, str(RESULTS))
SWEEP = pipeline.sweep_name(SWEPT, ROWS)
# A link to the folder of the run; with several, it stays where it is.
LATEST = str(RESULTS / "latest") if len(ROWS) == 1 else None

# What each run of the configuration is called, as the wildcards of its results.
PLACES = [
    {
        "dataset": settings["dataset"],
        "data": pipeline.data_name(settings),
        "run": row["run"],
        "epoch": f"{settings['training.epochs']:04}",
        "sweep": SWEEP,
    }
    for settings, row in zip(RUNS, ROWS)
]

# The settings of stages that put all runs together: those that all share, and the runs.
TOGETHER = RUNS[0] | {"rows": ROWS, "runs": RUNS}

# The run behind each folder of results, and the epochs to which runs go.
KINDS = ("run", "data", "dataset", "sweep")
INDEX = {place[kind]: i for i, place in enumerate(PLACES) for kind in KINDS}
EPOCHS = {place["run"]: set() for place in PLACES}
for place in PLACES:
    EPOCHS[place["run"]].add(int(place["epoch"]))


wildcard_constraints:
    dataset="[a-z_]+",
    data="[a-z0-9_]+-[0-9a-f]{8}",
    run="[a-z0-9_-]+-[0-9a-f]{8}",
    epoch="[0-9]{4}",
    sweep="[a-z0-9_-]+-[0-9a-f]{8}",
    prediction="[a-z0-9_]+-[0-9a-f]{8}",


def on_disk(path):
    """Where a path of the rules, results/..., lies."""
    return Path(PREFIXES.replace_prefix(str(path), None))


def in_rules(path):
    """What the rules call a path below RESULTS: results/..."""
    return f"results{str(path).removeprefix(str(RESULTS))}"


@cache
def request():
    """What `snakemake predict` is asked for."""
    return explained(lambda settings: prediction_request.resolve(settings, RESULTS), RUNS[0])


def of_request(name):
    """A param, as untracked as `untracked` ones: `name` of what `snakemake predict` is asked for."""
    return lambda wildcards, output: getattr(request(), name)


def index_of(wildcards):
    """Which of RUNS the run, prepared data, dataset or sweep in `wildcards` belongs to."""
    kinds = [kind for kind in KINDS if kind in wildcards]
    folder = wildcards[kinds[0]]
    if folder not in INDEX:
        raise WorkflowError(
            f"{folder} is of another configuration; the present one has {', '.join(INDEX)}"
        )
    return INDEX[folder]


def place_of(wildcards):
    """The folders of what `wildcards` belong to, by the names of all their wildcards."""
    known = {} if {"run", "data", "dataset"}.isdisjoint(wildcards) else PLACES[index_of(wildcards)]
    return known | wildcards


def settings_of(wildcards):
    """The settings of the run, of all runs, or of the prediction that `wildcards` belong to."""
    if "prediction" in wildcards:
        if wildcards["prediction"] != request().place:
            raise WorkflowError(
                f"config.yaml asks for {request().place}, not {wildcards['prediction']}"
            )
        return request().settings
    if not wildcards:
        return TOGETHER
    index = index_of(wildcards)
    return TOGETHER if "sweep" in wildcards else RUNS[index]


def why_new(stage, wildcards):
    """Why a result is not there yet."""
    earlier = [] if "prediction" in wildcards else previous()
    return new(stage, settings_of(wildcards), earlier)


track = Tracker(
    workflow,
    rules,
    scripts=SCRIPTS,
    packages=["scratchnet"],
    settings_of=settings_of,
    stages=pipeline.STAGES,
    wildcards_of=place_of,
    links={"summarize": [LATEST]} if LATEST else {},
    why_new=why_new,
)


def untracked(setting):
    """A param that makes nothing stale: Snakemake compares no function that asks for `output`."""
    return lambda wildcards, output: settings_of(dict(wildcards.items()))[setting]


def raw_file(role):
    """An input of preprocessing: what was downloaded. One's own files are read where they lie."""

    def path(wildcards):
        own = settings_of({"data": wildcards["data"]})["files"]
        return [] if own else f"results/data/{wildcards['dataset']}/{RAW[role]}"

    return path


def start_of(wildcards):
    """An input: the checkpoint and the record that a segment of training starts from, if any."""
    folder = f"results/runs/{wildcards['run']}/checkpoints"
    there = {int(path.stem[-4:]) for path in on_disk(folder).glob("epoch-????.npz")}
    current = {
        epoch
        for epoch in there
        if track.is_current("train", {"run": wildcards["run"], "epoch": f"{epoch:04}"})
    }
    previous = pipeline.previous_epoch(
        int(wildcards["epoch"]),
        settings_of({"run": wildcards["run"]})["training.checkpoint_every"],
        current | EPOCHS[wildcards["run"]],
    )
    kinds = ("npz", "json") if previous else ()
    return [f"{folder}/epoch-{previous:04}.{kind}" for kind in kinds]


@cache
def previous():
    """The runs of the configuration that was run before."""
    return previous_runs(SUMMARY)


def growing(amount, inputs=0):
    """A resource: `amount`, and `inputs` times the MB of what is read; as much more each attempt."""

    def amount_of(wildcards, input, attempt):
        if not inputs:
            return attempt * amount
        own = settings_of(dict(wildcards.items()))["files"] if "data" in wildcards.keys() else {}
        own_mb = sum(map(os.path.getsize, (own or {}).values())) / 1e6
        return attempt * (amount + round(inputs * (input.size_mb + own_mb)))

    return amount_of


def of_all(*names):
    """Inputs of a stage of all runs: what `names` of ROWS say."""
    return lambda wildcards: [in_rules(row[name]) for row in ROWS for name in names]


def reported(path, figure):
    """An output that the report shows as `figure`, by dataset and run.

    Its caption is the file of the same name in report/.
    """

    def category(wildcards):
        if "prediction" in wildcards.keys():
            return "predictions"
        if "run" in wildcards.keys():
            return settings_of(dict(wildcards.items()))["dataset"]
        return "all runs"

    def subcategory(wildcards):
        return wildcards.get("run", wildcards.get("prediction", "all runs"))

    def labels(wildcards):
        epoch = {"epoch": str(int(wildcards.epoch))} if "epoch" in wildcards.keys() else {}
        return {"figure": figure, **epoch}

    return report(
        path,
        caption=f"../report/{Path(path).stem}.rst",
        category=category,
        subcategory=subcategory,
        labels=labels,
    )


def picture(path, figure):
    """A picture as an output that the report shows; its ending is what config.yaml says."""
    return reported(f"{path}.{RUNS[0]['plots.format']}", figure)


def everything(with_plots_of_runs=not SWEPT):
    """The first output of each of the rules so far, for each run. Own data are not downloaded.

    That is enough: a stage of which another output is missing is stale, and runs.
    """
    first_outputs = {
        stage: getattr(rules, stage).output[0] for stage in pipeline.STAGES if rules.has(stage)
    }
    products = [
        in_rules(output.apply_wildcards(place))
        for settings, place in zip(RUNS, PLACES)
        for stage, output in first_outputs.items()
        if not (stage == "download" and settings["files"])
        if with_plots_of_runs
        or not (stage.startswith("plot_") and "run" in output.get_wildcard_names())
    ]
    return list(dict.fromkeys(products))


def results_of(*stages):
    """Where the first result of each of `stages` lies, for each run.

    For workflows that use this one as a module, too: input: NAME.results_of("train")
    """
    return [
        str(getattr(rules, stage).output[0].apply_wildcards(place))
        for place in PLACES
        for stage in stages
    ]


def of_each_run(*stages):
    """The same, as paths of the rules."""
    return [in_rules(path) for path in results_of(*stages)]


def of_the_request(*stages):
    """An input: the first result of each of `stages`, for what `snakemake predict` is asked for."""

    def results(wildcards):
        place = {"prediction": request().place}
        return [
            in_rules(getattr(rules, stage).output[0].apply_wildcards(place)) for stage in stages
        ]

    return results


def overview():
    """What the first page of the report shows (report/overview.rst)."""
    spent = {
        stage.name: {
            path
            for place in PLACES
            for path in Path().glob(stage.benchmark.apply_wildcards(place | {"epoch": "*"}))
        }
        for stage in workflow.rules
        if stage.benchmark and "prediction" not in stage.benchmark.get_wildcard_names()
    }
    losses = ("train_loss", "validation_loss", "test_loss")
    return {
        "datasets": ", ".join(sorted({settings["dataset"] for settings in RUNS})),
        "results": short_table(
            SUMMARY, leave_out=("folder", "error", *losses, *(["run"] if SWEPT else []))
        ),
        "swept": ", ".join(SWEPT),
        "settings": Path(f"results/runs/{ROWS[0]['run']}/config.yaml").read_text(),
        "costs": cost_table(spent),
    }
