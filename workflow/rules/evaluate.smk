# From a checkpoint to measurements on the test images.
rule evaluate:
    input:
        **arrays("X_test", "Y_test", "X_validation", "Y_validation"),
        checkpoint=paths.CHECKPOINT,
    output:
        metrics=paths.METRICS,
        history=paths.HISTORY,
        predictions=f"{paths.EPOCH}/predictions.csv",
        confusion=f"{paths.EPOCH}/confusion.csv",
        calibration=f"{paths.EPOCH}/calibration.csv",
        misclassified=f"{paths.EPOCH}/misclassified.json",
        weights=f"{paths.EPOCH}/weights.json",
        settings=reported(paths.RUN_CONFIG, "Settings"),
    localrule: True
    message:
        "Evaluating {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/evaluate.py"
