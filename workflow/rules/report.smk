# From numbers to pictures and a table. Each picture is drawn from the file of its name beside it.
rule plot_history:
    input:
        track.inputs("plot_history", "results/runs/{run}/epoch-{epoch}/history.csv"),
    output:
        picture("results/runs/{run}/epoch-{epoch}/history", "Loss and accuracy by epoch"),
    log:
        "results/logs/plot_history/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/plot_history/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("plot_history"),
        why=track.why("plot_history"),
    message:
        "Drawing loss and accuracy of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_history.py"


rule plot_confusion:
    input:
        track.inputs("plot_confusion", "results/runs/{run}/epoch-{epoch}/confusion.csv"),
    output:
        picture("results/runs/{run}/epoch-{epoch}/confusion", "Confusion matrix"),
    log:
        "results/logs/plot_confusion/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/plot_confusion/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("plot_confusion"),
        why=track.why("plot_confusion"),
    message:
        "Drawing the confusion matrix of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_confusion.py"


rule plot_misclassified:
    input:
        track.inputs("plot_misclassified", "results/runs/{run}/epoch-{epoch}/misclassified.json"),
    output:
        picture("results/runs/{run}/epoch-{epoch}/misclassified", "Misclassified images"),
    log:
        "results/logs/plot_misclassified/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/plot_misclassified/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("plot_misclassified"),
        why=track.why("plot_misclassified"),
    message:
        "Drawing the mistakes of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_misclassified.py"


rule plot_calibration:
    input:
        track.inputs("plot_calibration", "results/runs/{run}/epoch-{epoch}/calibration.csv"),
    output:
        picture("results/runs/{run}/epoch-{epoch}/calibration", "Calibration"),
    log:
        "results/logs/plot_calibration/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/plot_calibration/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("plot_calibration"),
        why=track.why("plot_calibration"),
    message:
        "Drawing the calibration of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_calibration.py"


rule plot_weights:
    input:
        track.inputs("plot_weights", "results/runs/{run}/epoch-{epoch}/weights.json"),
    output:
        picture("results/runs/{run}/epoch-{epoch}/weights", "Weights"),
    log:
        "results/logs/plot_weights/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/plot_weights/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("plot_weights"),
        why=track.why("plot_weights"),
    message:
        "Drawing the weights of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_weights.py"


rule summarize:
    input:
        track.inputs("summarize", of_all("metrics", "record")),
    output:
        reported("results/summary.csv", "All runs"),
    log:
        "results/logs/summarize.log",
    benchmark:
        "results/benchmarks/summarize.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("summarize"),
        why=track.why("summarize"),
        latest=LATEST,
    message:
        "Summing up{params.why}"
    script:
        "../scripts/summarize.py"
