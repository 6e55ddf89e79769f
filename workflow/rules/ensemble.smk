# On request: the mean of what runs of a sweep predict that differ only in their seed.


rule evaluate_ensembles:
    input:
        checkpoint=of_all_runs(paths.CHECKPOINT),
        manifest=of_all_runs(paths.MANIFEST),
        metrics=of_all_runs(paths.METRICS),
        X_test=of_all_runs(paths.ARRAYS["X_test"]),
        Y_test=of_all_runs(paths.ARRAYS["Y_test"]),
    output:
        f"{paths.SWEEP}/ensembles.csv",
    localrule: True
    message:
        "Evaluating the ensembles of {wildcards.sweep}{params.why}"
    script:
        "../scripts/evaluate_ensembles.py"


rule export_ensemble:
    input:
        checkpoint=of_all_runs(paths.CHECKPOINT),
        manifest=of_all_runs(paths.MANIFEST),
        metrics=of_all_runs(paths.METRICS),
    output:
        f"{paths.SWEEP}/ensemble.onnx",
    localrule: True
    message:
        "Exporting the ensemble of {wildcards.sweep} as ONNX{params.why}"
    script:
        "../scripts/export_ensemble.py"
