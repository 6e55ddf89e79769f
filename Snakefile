# The front door: what the workflow is made of, and what it makes when nothing else is asked for.
from snakemake.utils import min_version

min_version("9.27")


report: "workflow/report/overview.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


if SWEPT:

    include: "workflow/rules/sweep.smk"


# On a cluster these run where Snakemake runs: download needs the network, the others take a second
# or two. preprocess and train are submitted; for the rules of sweeps see sweep.smk.
localrules:
    all,
    plots,
    demo,
    download,
    describe,
    evaluate,
    plot_history,
    plot_confusion,
    plot_misclassified,
    plot_calibration,
    plot_weights,
    summarize,
    make_demo,


# Every stage's product is named, so that one that failed is never taken for done. But the pictures of
# each run of a sweep, which would take longer than all else, are drawn on request.
rule all:
    default_target: True
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


rule demo:
    input:
        of_each_run("make_demo"),
    message:
        "To draw on, open in a browser: {input}"


onstart:
    note_host()
    correct_times()
    make_room_for_live_lines()


onsuccess:
    end_timers()
    show_results()


onerror:
    end_timers()
    show_full_disks()
    show_failures()
