# From the results of all runs to one table.
rule summarize:
    input:
        of_all_runs(paths.METRICS, paths.TRAINING_RECORD),
    output:
        reported(paths.SUMMARY, "All runs"),
    localrule: True
    params:
        latest=LATEST,
    message:
        "Summarizing{params.why}"
    script:
        "../scripts/summarize.py"
