# From numbers to pictures and a table.
rule plot_loss:
    input:
        history=needs("plot_loss", "results/runs/{run}/epoch-{epoch}/history.csv"),
    output:
        "results/runs/{run}/epoch-{epoch}/loss.png",
    log:
        "results/logs/plot_loss/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/plot_loss/{run}/epoch-{epoch}.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        key=key_of("plot_loss"),
        why=why("plot_loss"),
    message:
        "Drawing the loss of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_loss.py"


rule plot_misclassified:
    input:
        predictions=needs("plot_misclassified", "results/runs/{run}/epoch-{epoch}/predictions.csv"),
        X_test=needs("plot_misclassified", "results/data/{data}/X_test.npy"),
        manifest=needs("plot_misclassified", "results/data/{data}/manifest.json"),
    output:
        "results/runs/{run}/epoch-{epoch}/misclassified.png",
    log:
        "results/logs/plot_misclassified/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/plot_misclassified/{run}/epoch-{epoch}.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        key=key_of("plot_misclassified"),
        why=why("plot_misclassified"),
    message:
        "Drawing the mistakes of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_misclassified.py"


rule plot_confusion:
    input:
        metrics=needs("plot_confusion", "results/runs/{run}/epoch-{epoch}/metrics.json"),
    output:
        "results/runs/{run}/epoch-{epoch}/confusion.png",
    log:
        "results/logs/plot_confusion/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/plot_confusion/{run}/epoch-{epoch}.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        key=key_of("plot_confusion"),
        why=why("plot_confusion"),
    message:
        "Drawing the confusion matrix of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_confusion.py"


rule plot_weights:
    input:
        checkpoint=needs("plot_weights", "results/runs/{run}/checkpoints/epoch-{epoch}.npz"),
        manifest=needs("plot_weights", "results/data/{data}/manifest.json"),
        metrics=needs("plot_weights", "results/runs/{run}/epoch-{epoch}/metrics.json"),
    output:
        "results/runs/{run}/epoch-{epoch}/weights.png",
    log:
        "results/logs/plot_weights/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/plot_weights/{run}/epoch-{epoch}.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
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
        "results/summary.csv",
    log:
        "results/logs/summarize.log",
    benchmark:
        "results/benchmarks/summarize.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        key=key_of("summarize"),
        why=why("summarize"),
    message:
        "Summing up{params.why}"
    script:
        "../scripts/summarize.py"
