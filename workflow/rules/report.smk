# From numbers to pictures and a table. Each picture is drawn from the file of its name beside it.
rule plot_history:
    input:
        needs("plot_history", "results/runs/{run}/epoch-{epoch}/history.csv"),
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
        key=key_of("plot_history"),
        why=why("plot_history"),
    message:
        "Drawing loss and accuracy of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_history.py"


rule plot_confusion:
    input:
        needs("plot_confusion", "results/runs/{run}/epoch-{epoch}/confusion.csv"),
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
        key=key_of("plot_confusion"),
        why=why("plot_confusion"),
    message:
        "Drawing the confusion matrix of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_confusion.py"


rule plot_misclassified:
    input:
        needs("plot_misclassified", "results/runs/{run}/epoch-{epoch}/misclassified.json"),
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
        key=key_of("plot_misclassified"),
        why=why("plot_misclassified"),
    message:
        "Drawing the mistakes of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_misclassified.py"


rule plot_calibration:
    input:
        needs("plot_calibration", "results/runs/{run}/epoch-{epoch}/calibration.csv"),
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
        key=key_of("plot_calibration"),
        why=why("plot_calibration"),
    message:
        "Drawing the calibration of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_calibration.py"


rule plot_weights:
    input:
        needs("plot_weights", "results/runs/{run}/epoch-{epoch}/weights.json"),
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
        key=key_of("plot_weights"),
        why=why("plot_weights"),
    message:
        "Drawing the weights of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_weights.py"


rule summarize:
    input:
        of_all("summarize", "metrics", "record"),
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
        key=key_of("summarize"),
        why=why("summarize"),
    message:
        "Summing up{params.why}"
    script:
        "../scripts/summarize.py"
