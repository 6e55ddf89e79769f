# From the measurements of many runs to a comparison; only if config.yaml has a sweep.
rule compare:
    input:
        track.inputs("compare", of_all_runs(paths.METRICS, paths.HISTORY)),
    output:
        points=f"{paths.SWEEP}/points.csv",
        curves=f"{paths.SWEEP}/curves.csv",
    log:
        paths.log("compare", paths.SWEEP),
    benchmark:
        paths.benchmark("compare", paths.SWEEP)
    localrule: True
    params:
        fingerprint=track.fingerprint("compare"),
        why=track.why("compare"),
    message:
        "Comparing the runs of {wildcards.sweep}{params.why}"
    script:
        "../scripts/compare.py"


rule plot_curves:
    input:
        track.inputs("plot_curves", f"{paths.SWEEP}/curves.csv"),
    output:
        plot_file(f"{paths.SWEEP}/curves", "Loss by epoch"),
    log:
        paths.log("plot_curves", paths.SWEEP),
    benchmark:
        paths.benchmark("plot_curves", paths.SWEEP)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_curves"),
        why=track.why("plot_curves"),
    message:
        "Plotting the curves of {wildcards.sweep}{params.why}"
    script:
        "../scripts/plot_curves.py"


rule plot_points:
    input:
        track.inputs("plot_points", f"{paths.SWEEP}/points.csv"),
    output:
        plot_file(f"{paths.SWEEP}/points", "Accuracy by setting"),
    log:
        paths.log("plot_points", paths.SWEEP),
    benchmark:
        paths.benchmark("plot_points", paths.SWEEP)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_points"),
        why=track.why("plot_points"),
    message:
        "Plotting the accuracies of {wildcards.sweep}{params.why}"
    script:
        "../scripts/plot_points.py"
