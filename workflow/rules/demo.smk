# On request: a web page on which to draw digits for the trained network.
rule make_demo:
    input:
        track.inputs(
            "make_demo",
            checkpoint=paths.CHECKPOINT,
            manifest=paths.MANIFEST,
            metrics=paths.METRICS,
            X_test=paths.ARRAYS["X_test"],
            Y_test=paths.ARRAYS["Y_test"],
        ),
    output:
        f"{paths.EPOCH}/demo.html",
    log:
        paths.log("make_demo", paths.EPOCH),
    benchmark:
        paths.benchmark("make_demo", paths.EPOCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("make_demo"),
        why=track.why("make_demo"),
    message:
        "Writing the demo page of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/make_demo.py"
