# From the measurements of many runs to a comparison; only if config.yaml has a sweep.
rule compare_points:
    input:
        of_all_runs(paths.METRICS, paths.HISTORY),
    output:
        points=f"{paths.SWEEP}/points.csv",
        curves=f"{paths.SWEEP}/curves.csv",
    localrule: True
    message:
        "Comparing the runs of {wildcards.sweep}{params.why}"
    script:
        "../scripts/compare_points.py"


rule plot_curves:
    input:
        f"{paths.SWEEP}/curves.csv",
    output:
        plot_file(f"{paths.SWEEP}/curves", "Loss by epoch"),
    localrule: True
    message:
        "Plotting the curves of {wildcards.sweep}{params.why}"
    script:
        "../scripts/plot_curves.py"


rule plot_points:
    input:
        f"{paths.SWEEP}/points.csv",
    output:
        plot_file(f"{paths.SWEEP}/points", "Accuracy by setting"),
    localrule: True
    message:
        "Plotting the accuracies of {wildcards.sweep}{params.why}"
    script:
        "../scripts/plot_points.py"
