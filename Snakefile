# The front door: what the workflow is made of, and what it makes when nothing else is asked for.
from snakemake.utils import min_version

min_version("9.27")


if workflow.modifier.is_main_snakefile():

    report: "workflow/report/overview.rst"


# On a cluster, rules that say `localrule` run where Snakemake runs: download needs the network, and
# the others take a second or two.
include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


if SWEPT:

    include: "workflow/rules/sweep.smk"


# Each stage is named, so that none that is stale is passed over. But the pictures of each run of a
# sweep, which would take longer than all else, are drawn on request.
rule all:
    input:
        everything(),
    message:
        "Everything is there"


rule plots:
    input:
        everything(with_plots_of_runs=True),
    message:
        "Everything is there, and the pictures of each run"


# Made on request only: `all` has the products of the rules above it.
include: "workflow/rules/demo.smk"
include: "workflow/rules/parity.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/predict.smk"


rule demo:
    input:
        of_each_run("make_demo"),
    message:
        "To draw on, open in a browser: {input}"


rule parity:
    input:
        of_each_run("check_parity", "plot_parity"),
    message:
        "Trained here and in Keras, it comes to the same: {input}"


rule export:
    input:
        of_each_run("export_keras", "export_onnx", "export_npz"),
    message:
        "For use elsewhere: {input}"


rule predict:
    input:
        of_the_request("predict_images", "plot_contact_sheet"),
    message:
        "The predictions: {input}"


include: "workflow/rules/handlers.smk"


onstart:
    note_host()
    make_room_for_live_lines()


onsuccess:
    end_timers()
    track.accept_touched()
    show_results()


onerror:
    end_timers()
    show_full_disks()
    show_failures()
