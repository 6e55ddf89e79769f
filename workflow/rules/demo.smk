# On request: a web page on which to draw digits for the trained network.
rule make_demo:
    input:
        **arrays("X_test", "Y_test"),
        checkpoint=paths.CHECKPOINT,
        metrics=paths.METRICS,
    output:
        f"{paths.EPOCH}/demo.html",
    localrule: True
    message:
        "Writing the demo page of {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/make_demo.py"
