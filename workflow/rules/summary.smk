# From the results of all runs to one table.
rule summarize:
    input:
        track.inputs("summarize", of_all_runs(paths.METRICS, paths.TRAINING_RECORD)),
    output:
        reported(paths.SUMMARY, "All runs"),
    log:
        paths.log("summarize"),
    benchmark:
        paths.benchmark("summarize")
    localrule: True
    params:
        fingerprint=track.fingerprint("summarize"),
        why=track.why("summarize"),
        latest=LATEST,
    message:
        "Summarizing{params.why}"
    script:
        "../scripts/summarize.py"
