# All the Python that the rules need: the configuration, which runs it asks for, where things lie.
import os
import re
import sys
from ast import literal_eval
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.current_basedir).parent / "scripts"))

from scratchnet import pipeline, prediction_request
from scratchnet.config import check_yaml, resolve, swept
from scratchnet.errors import ConfigError
from scratchnet.summary import cost_table, short_table
from scratchnet.why import changed, new, previous_runs

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
    return str(Path("results") / Path(path).relative_to(RESULTS))


@cache
def request():
    """What `snakemake predict` is asked for."""
    return explained(lambda settings: prediction_request.resolve(settings, RESULTS), RUNS[0])


def of_request(name):
    """A param, as untracked as `untracked` ones: `name` of what `snakemake predict` is asked for."""
    return lambda wildcards, output: getattr(request(), name)


def index_of(wildcards):
    """Which of RUNS the run, prepared data, dataset or sweep in `wildcards` belongs to."""
    kinds = [kind for kind in KINDS if kind in wildcards.keys()]
    folder = wildcards[kinds[0]]
    if folder not in INDEX:
        raise WorkflowError(
            f"{folder} is of another configuration; the present one has {', '.join(INDEX)}"
        )
    return INDEX[folder]


def place_of(wildcards):
    """The folders of what `wildcards` belong to, by the names of all their wildcards."""
    known = {} if "prediction" in wildcards.keys() else PLACES[index_of(wildcards)]
    return known | dict(wildcards)


def settings_of(wildcards):
    """The settings of the run, or of the prediction, that `wildcards` belong to."""
    if "prediction" not in wildcards.keys():
        return RUNS[index_of(wildcards)]
    if wildcards.prediction != request().place:
        raise WorkflowError(f"config.yaml asks for {request().place}, not {wildcards.prediction}")
    return request().settings


@cache
def run_key(stage, index):
    return pipeline.key(stage, RUNS[index])


@cache
def key_of_all(stage):
    return pipeline.key_of_all(stage, RUNS, ROWS)


def key(stage, wildcards):
    """The present key of a stage, by which Snakemake knows whether its result is current."""
    if pipeline.STAGES[stage].of_all_runs:
        return key_of_all(stage)
    if "prediction" in wildcards.keys():
        return pipeline.key(stage, settings_of(wildcards))
    return run_key(stage, index_of(wildcards))


def key_of(stage):
    """A param: the key of `stage`."""
    return lambda wildcards: key(stage, wildcards)


def untracked(setting):
    """A param that makes nothing stale: Snakemake compares no function that asks for `output`."""
    return lambda wildcards, output: settings_of(wildcards)[setting]


def keys_decide():
    """Whether keys alone say what is stale: with the default profile, and where nothing is forced."""
    dag = workflow.dag_settings
    forced = dag.forceall or dag.forcetargets or dag.forcerun
    return not forced and "input" not in map(str, dag.rerun_triggers)


def recorded_key(stage, wildcards):
    """The key that the result of a stage was made with, as far as Snakemake knows, or None."""
    result = getattr(rules, stage).output[0].apply_wildcards(wildcards)
    recorded = workflow.persistence.params(result)
    return literal_eval(recorded[0]) if recorded else None


def all_there(stage, wildcards):
    """Whether all results of a stage exist."""
    results = getattr(rules, stage).output
    return all(Path(result.apply_wildcards(wildcards)).exists() for result in results)


def is_current(stage, wildcards):
    """Whether all results of a stage are there, and were made with the present key.

    Without a record, when .snakemake was deleted, results are taken for what their folder says: it
    is named after the settings that they were made with. Only the summary has no such folder.
    """
    recorded = recorded_key(stage, wildcards)
    is_right = recorded == key(stage, wildcards) if recorded else stage != "summarize"
    return is_right and all_there(stage, wildcards)


def linked(stage, wildcards, *paths):
    """`paths` as inputs of `stage`, so that it runs if it is not current, and only then.

    Of a job behind one that has to run Snakemake does not look at the key: it runs if its input is
    not ancient, or is not there. So the inputs of a stage that is current are made ancient, which
    also takes modification times out of play, and those that are not there are left out: nobody
    will read them.
    """
    if keys_decide() and is_current(stage, wildcards):
        return [ancient(path) for path in paths if on_disk(path).exists()]
    return list(paths)


def needs(stage, pattern):
    """An input of `stage`: `pattern`, with the folders {dataset} and {data} that belong to a run."""

    def path(wildcards):
        paths = linked(stage, wildcards, pattern.format(**place_of(wildcards)))
        return paths[0] if paths else []

    return path


def raw_files(wildcards):
    """The inputs of preprocessing, by role: what was downloaded, or one's own files."""
    place = PLACES[index_of(wildcards)]
    downloaded = {role: f"results/data/{place['dataset']}/{file}" for role, file in RAW.items()}
    files = settings_of(wildcards)["files"] or downloaded
    if IS_MODULE and files is not downloaded:  # an absolute path has no prefix put before it
        files = {role: os.path.abspath(path) for role, path in files.items()}
    linked_files = {role: linked("preprocess", wildcards, path) for role, path in files.items()}
    return {role: path for role, paths in linked_files.items() for path in paths}


def start_of(wildcards):
    """An input: the checkpoint and the record that a segment of training starts from, if any."""
    folder = Path(f"results/runs/{wildcards.run}/checkpoints")
    others = {int(path.stem[-4:]) for path in on_disk(folder).glob("epoch-????.npz")}
    previous = pipeline.previous_epoch(
        int(wildcards.epoch),
        settings_of(wildcards)["training.checkpoint_every"],
        others | EPOCHS[wildcards.run],
    )
    names = [f"epoch-{previous:04}.npz", f"epoch-{previous:04}.json"] if previous else []
    return linked("train", wildcards, *(str(folder / name) for name in names))


@cache
def previous():
    """The runs of the configuration that was run before."""
    return previous_runs(SUMMARY)


def why(stage):
    """A param for messages, as untracked as `untracked` ones: why the stage runs."""

    def reason(wildcards, output):
        if is_current(stage, wildcards):
            return " (once more)"
        before, now = recorded_key(stage, wildcards), key(stage, wildcards)
        if before not in (None, now):
            return f" ({changed(stage, before, now)})"
        if before or stage == "summarize":
            return " (its result is missing)"
        earlier = [] if "prediction" in wildcards.keys() else previous()
        return f" ({new(stage, settings_of(wildcards), earlier)})"

    return reason


def growing(amount, inputs=0):
    """A resource: `amount`, and `inputs` times the MB of the inputs; as much more each attempt."""

    def amount_of(wildcards, input, attempt):
        return attempt * (amount + round(inputs * input.size_mb) if inputs else amount)

    return amount_of


def of_all(stage, *names):
    """Inputs of a stage of all runs: what `names` of ROWS say."""
    return lambda wildcards: linked(
        stage, wildcards, *(in_rules(row[name]) for row in ROWS for name in names)
    )


def reported(path, figure):
    """An output that the report shows as `figure`, by dataset and run.

    Its caption is the file of the same name in report/.
    """

    def category(wildcards):
        if "prediction" in wildcards.keys():
            return "predictions"
        return settings_of(wildcards)["dataset"] if "run" in wildcards.keys() else "all runs"

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
    """The products of the rules so far, for each run. One's own data are not downloaded."""
    products = [
        in_rules(output.apply_wildcards(place))
        for settings, place in zip(RUNS, PLACES)
        for stage in pipeline.STAGES
        if rules.has(stage) and not (stage == "download" and settings["files"])
        for output in getattr(rules, stage).output
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
