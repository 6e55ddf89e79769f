# From a checkpoint to measurements on the test images.
rule evaluate:
    input:
        track.inputs(
            "evaluate",
            X_test=paths.ARRAYS["X_test"],
            Y_test=paths.ARRAYS["Y_test"],
            manifest=paths.MANIFEST,
            checkpoint=paths.CHECKPOINT,
        ),
    output:
        metrics=paths.METRICS,
        history=paths.HISTORY,
        predictions=f"{paths.EPOCH}/predictions.csv",
        confusion=f"{paths.EPOCH}/confusion.csv",
        calibration=f"{paths.EPOCH}/calibration.csv",
        misclassified=f"{paths.EPOCH}/misclassified.json",
        weights=f"{paths.EPOCH}/weights.json",
        settings=reported(paths.RUN_CONFIG, "Settings"),
    log:
        paths.log("evaluate", paths.EPOCH),
    benchmark:
        paths.benchmark("evaluate", paths.EPOCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("evaluate"),
        why=track.why("evaluate"),
    message:
        "Evaluating {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/evaluate.py"
