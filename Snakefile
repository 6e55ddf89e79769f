# The workflow: its rules, its targets, and what happens at the end of a run.
import os

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.27")

if not isinstance(workflow.current_basedir, (str, os.PathLike)):
    raise WorkflowError(
        "this workflow cannot be read from a repository file by file, since its library is a folder: "
        'clone it, and name the clone, as in snakefile: "scratchnet/Snakefile"'
    )


if workflow.modifier.is_main_snakefile():

    report: "workflow/report/overview.rst"


# Helpers for the rules: common.smk has the configuration.
include: "workflow/rules/common.smk"
include: "workflow/rules/promotion.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/reporting.smk"
# The phases. On a cluster, rules that say `localrule` run where Snakemake runs: download needs the
# network, and the others take a second or two.
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/plots.smk"
include: "workflow/rules/summary.smk"


if RUNS.search:

    include: "workflow/rules/search.smk"

elif RUNS.swept:

    include: "workflow/rules/sweep.smk"


# The results of all rules above. In a sweep, the plots of each run would take longer than everything
# else, so they are made on request.
rule all:
    input:
        all_results(),
    message:
        "All results are up to date"


rule plots:
    input:
        all_results(with_plots_of_runs=True),
    message:
        "All results and the plots of each run are up to date"


# On request only: `all` does not include the results of these rules.
include: "workflow/rules/demo.smk"
include: "workflow/rules/lesson.smk"
include: "workflow/rules/explain.smk"
include: "workflow/rules/parity.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/ensemble.smk"
include: "workflow/rules/bundle.smk"
include: "workflow/rules/publish.smk"
include: "workflow/rules/predict.smk"


rule demo:
    input:
        results_on_request("make_demo"),
    message:
        "Open in a browser to draw digits: {input}"


rule lesson:
    input:
        results_on_request("make_lesson"),
    message:
        "Open in a browser to read the lesson with these numbers: {input}"


rule explain:
    input:
        results_on_request("plot_saliency", "plot_attacks", "plot_hidden_units"),
    message:
        "What the network reacts to: {input}"


rule parity:
    input:
        results_on_request("check_parity", "plot_parity"),
    message:
        "Training agrees with Keras: {input}"


rule export:
    input:
        results_on_request("export_keras", "export_onnx", "export_npz"),
        only_ensemble,
    message:
        "The exported network: {input}"


rule ensemble:
    input:
        ensembles,
    message:
        "What runs that differ only in their seed predict together: {input}"


rule bundle:
    input:
        results_on_request("bundle_run"),
    message:
        "To give away: {input}"


rule publish:
    input:
        results_on_request("publish_run"),
    message:
        "Where each run is on the MLflow server: {input}"


rule predict:
    input:
        predicted_results("predict_images", "plot_contact_sheet"),
    params:
        run=of_request("run"),
    message:
        "The predictions of {params.run}: {input}"


# Each job has a log and a benchmark, named after its rule: results/logs/train/RUN/epoch-0020.log
for stage in filter(rules.has, READS):
    each = getattr(rules, stage).rule
    folder = paths.folder_of(each.wildcard_names)
    each.log_modifier = each.benchmark_modifier = workflow.modifier.path_modifier  # as in a rule
    each.set_log(paths.log(stage, folder))
    each.benchmark = paths.benchmark(stage, folder)

# What is stale runs, and nothing else.
watched = watch(
    workflow,
    settings_of,
    reads={stage: READS[stage] for stage in filter(rules.has, READS)},
    shortcuts=["start"],
    unaffected_by={stage: UNAFFECTED_BY[stage] for stage in filter(rules.has, UNAFFECTED_BY)},
    links={"summarize": [LATEST]} if RUNS.has_best else {},
    why_new=why_new,
)

# After `watch`, as it changes no result.
for stage in filter(rules.has, READS):
    if "run" in getattr(rules, stage).rule.wildcard_names:
        getattr(rules, stage).rule.set_params(called=called)


# Snakemake calls these only if this workflow is not a module of another one.
onstart:
    start(logger, workflow.scheduler)


onsuccess:
    closing().show_results()


onerror:
    closing().show_failures()
