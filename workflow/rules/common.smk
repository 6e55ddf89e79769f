# The configuration, and the runs that it asks for; and the functions that rules use for inputs, params
# and resources.
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

SCRIPTS = Path(workflow.current_basedir).resolve().parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from scratchnet.opening import (
    check_folder,
    delete_old_logs,
    end_on_interrupt,
    set_environment,
    start,
)

IS_MODULE = not workflow.modifier.is_main_snakefile()
if workflow.is_main_process and not IS_MODULE:
    end_on_interrupt()  # now: the imports below take a while

from snakefresh import watch

from scratchnet.errors import ConfigError, escape
from scratchnet.files import read_json
from scratchnet.nn.shapes import count_convolved, count_weights
from scratchnet.planning import paths
from scratchnet.planning.yaml_file import read_yaml
from scratchnet.planning.notes import describe_plan
from scratchnet.planning.prediction_request import resolve_request
from scratchnet.planning.new_results import NO_RESULT, explain_new_result, read_previous_runs
from scratchnet.planning.runs import Runs
from scratchnet.planning.stage_settings import READS, UNAFFECTED_BY, WANTED, previous_epoch
from scratchnet.predict.image_files import describe_left_out

if not Path(paths.__file__).resolve().is_relative_to(SCRIPTS):  # another module imported it before
    raise WorkflowError(f"{paths.__file__} was imported before the library in {SCRIPTS}")

set_environment(SCRIPTS)

# The config.yaml of the working directory, or else (with --directory) that of the checkout. Where
# this workflow is a module, the working directory is that of the other workflow.
has_own_config = Path("config.yaml").exists() and not IS_MODULE
CONFIG = "config.yaml" if has_own_config else workflow.source_path("../../config.yaml")

# The folder that results/ lies in: "", or the prefix of a module. Snakemake puts it before the paths
# in rules, and before those that input functions return. What is looked up on disk is below it.
ROOT = workflow.modifier.path_modifier.replace_prefix("")
if workflow.modifier.path_modifier.modifies_prefixes:
    raise WorkflowError("name the folder of the results with prefix:, not with replace_prefix:")


def call_checked(function, *arguments):
    """Call `function`; a mistake in the configuration ends Snakemake, with its message alone.

    (Of an exception, Snakemake would also print where it was raised.)
    """
    try:
        return function(*arguments)
    except ConfigError as error:
        sys.exit(escape(str(error), keep="\n"))


if workflow.is_main_process:
    call_checked(check_folder, ROOT)
    if not IS_MODULE:
        delete_old_logs()

for file in workflow.configfiles:  # those of --configfile
    call_checked(read_yaml, file)

if call_checked(read_yaml, CONFIG):

    configfile: CONFIG


RUNS = call_checked(Runs, config, ROOT)
if workflow.is_main_process:
    for line in describe_plan(config, RUNS.settings):
        logger.warning(line)

# A link to the folder of the run, or of the best of several.
LATEST = f"{ROOT}{paths.LATEST}"


wildcard_constraints:
    **paths.WILDCARDS,


@cache
def prediction_request():
    """What `snakemake predict` is asked for."""
    request = call_checked(resolve_request, RUNS.settings[0], ROOT)
    for path in request.network.values():  # these are no inputs of the job
        watched.check(path)
    if left_out := describe_left_out(RUNS.settings[0]["predict.images"]):
        logger.warning(f"predict.images leaves out {left_out}")
    return request


@cache
def previous_runs():
    """The settings of the runs in the present summary."""
    return read_previous_runs(ROOT)


def settings_of(wildcards):
    """The settings of the run, of all runs, or of the prediction that `wildcards` belong to."""
    wildcards = dict(wildcards.items())
    if not wildcards:
        return evaluated_runs().settings_of(wildcards)
    if "prediction" not in wildcards:
        return call_checked(RUNS.settings_of, wildcards)
    if wildcards["prediction"] != prediction_request().name:
        sys.exit(f"config.yaml asks for {prediction_request().name}, not {wildcards['prediction']}")
    return prediction_request().settings


def all_wildcards(wildcards):
    """`wildcards`, with all others of the same run."""
    return call_checked(RUNS.all_wildcards, dict(wildcards.items()))


def why_new(stage, wildcards):
    """Why a stage has no result yet, in words."""
    if "prediction" in wildcards:
        return NO_RESULT
    if stage != "train" and "epoch" in wildcards and watched.runs("train", wildcards):
        return "follows train"
    if RUNS.swept and "run" in wildcards:  # what sets it apart is its name
        return NO_RESULT
    return explain_new_result(stage, settings_of(wildcards), previous_runs())


def called(wildcards, output):
    """A param: what a message calls a run, by what sets it apart from the others."""
    return RUNS.describe(wildcards.run)


# ---- Inputs.


def of_run(pattern):
    """An input: a path with wildcards of the run that the outputs do not have."""
    return lambda wildcards: pattern.format(**all_wildcards(wildcards))


def arrays(*names):
    """Inputs of a run: the arrays `names`, and their manifest."""
    patterns = {name: paths.ARRAYS[name] for name in names} | {"manifest": paths.MANIFEST}
    return {name: of_run(pattern) for name, pattern in patterns.items()}


def raw_file(role):
    """An input of `preprocess`: a downloaded file. The user's own data are no inputs."""
    path = of_run(paths.RAW_FILES[role])
    return lambda wildcards: [] if settings_of(wildcards)["files"] else path(wildcards)


def current_epochs(run):
    """The epochs of a run whose checkpoints are current."""
    files = Path(ROOT).glob(paths.CHECKPOINT.format(run=run, epoch="????"))
    epochs = [path.stem[-4:] for path in files]
    return {
        int(epoch)
        for epoch in epochs
        # By their records: their present inputs depend on the answer.
        if watched.is_current_by_record("train", {"run": run, "epoch": epoch})
    }


def start_checkpoint(wildcards):
    """An input of `train`: the checkpoint to continue from and its record, if there is one."""
    run = wildcards["run"]
    previous = previous_epoch(
        int(wildcards["epoch"]),
        settings_of({"run": run})["training.checkpoint_every"],
        current_epochs(run) | RUNS.epochs[run],
    )
    files = (paths.CHECKPOINT, paths.TRAINING_RECORD) if previous else ()
    return [file.format(run=run, epoch=paths.epoch_name(previous)) for file in files]


def of_all_runs(*patterns):
    """An input of a stage that puts all runs together: the files `patterns` of each run."""
    return lambda wildcards: [
        pattern.format(**place) for place in evaluated_runs().wildcards for pattern in patterns
    ]


# ---- Params, threads and resources.


def replicas(wildcards):
    """The threads of `train`: one for each replica of the network. Fewer do as well."""
    return settings_of(wildcards).get("training.replicas", 1)


def setting(key):
    """A param: a setting. (Snakemake itself compares no function that asks for `output`.)"""
    return lambda wildcards, output: settings_of(wildcards)[key]


def of_request(name):
    """A param: the attribute `name` of what `snakemake predict` is asked for."""
    return lambda wildcards, output: getattr(prediction_request(), name)


def tracking_server(wildcards, output):
    """A param: the address of the MLflow server."""
    from scratchnet.interop.publish import read_server

    return call_checked(read_server)


def tracking_experiment(wildcards, output):
    """A param: the experiment of MLflow that runs belong to."""
    from scratchnet.interop.publish import read_experiment

    return read_experiment()


def per_attempt(amount, per_input_mb=0, per_weights_mb=0):
    """A resource: `amount`, plus so much for each MB of input and of weights; times the attempt."""

    def amount_of(wildcards, input, attempt):
        settings, total = settings_of(wildcards), amount
        if per_input_mb:
            own = (settings["files"] if "data" in wildcards.keys() else None) or {}
            # Not input.size_mb, which starts an event loop for each job.
            size = sum(map(os.path.getsize, [*input, *own.values()]))
            total += per_input_mb * size / 1e6
        if per_weights_mb:
            weights, convolved = count_numbers(input.manifest, settings)
            arrays = per_weights_mb + replicas(wildcards) - 1
            total += 4 * (arrays * weights + CONVOLUTION_ARRAYS * convolved) / 1e6
        return attempt * round(total)

    return amount_of


# Arrays like the outputs of a convolution for a batch: windows of the input, outputs, gradients.
CONVOLUTION_ARRAYS = 8


read_manifest = cache(read_json)


def count_numbers(manifest, settings):
    """How many weights a network has, and outputs of convolutions for a batch."""
    try:
        arrays, convolutions = read_manifest(manifest), settings.get("model.convolutions", [])
        shape, n_classes = arrays["image_shape"], len(arrays["labels"])
        weights = count_weights(shape, convolutions, settings["model.hidden"], n_classes)
        return weights, settings["training.batch_size"] * count_convolved(shape, convolutions)
    except (ValueError, LookupError, TypeError):  # damaged, or too small images: the job says so
        return 0, 0
