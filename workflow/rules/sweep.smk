# From the numbers of many runs to a comparison; only where config.yaml has a sweep.
rule compare:
    input:
        track.inputs("compare", of_all("metrics", "record", "history")),
    output:
        points="results/sweeps/{sweep}/points.csv",
        curves="results/sweeps/{sweep}/curves.csv",
    log:
        "results/logs/compare/{sweep}.log",
    benchmark:
        "results/benchmarks/compare/{sweep}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("compare"),
        why=track.why("compare"),
    message:
        "Comparing the runs of {wildcards.sweep}{params.why}"
    script:
        "../scripts/compare.py"


rule plot_curves:
    input:
        track.inputs("plot_curves", "results/sweeps/{sweep}/curves.csv"),
    output:
        picture("results/sweeps/{sweep}/curves", "Loss by epoch"),
    log:
        "results/logs/plot_curves/{sweep}.log",
    benchmark:
        "results/benchmarks/plot_curves/{sweep}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("plot_curves"),
        why=track.why("plot_curves"),
    message:
        "Drawing the curves of {wildcards.sweep}{params.why}"
    script:
        "../scripts/plot_curves.py"


rule plot_points:
    input:
        track.inputs("plot_points", "results/sweeps/{sweep}/points.csv"),
    output:
        picture("results/sweeps/{sweep}/points", "Accuracy by setting"),
    log:
        "results/logs/plot_points/{sweep}.log",
    benchmark:
        "results/benchmarks/plot_points/{sweep}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("plot_points"),
        why=track.why("plot_points"),
    message:
        "Drawing the accuracies of {wildcards.sweep}{params.why}"
    script:
        "../scripts/plot_points.py"
