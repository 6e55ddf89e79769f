# On request: the same training in Keras, for comparison.
# It needs four times the memory for weights: two programs, in float64; and what they exchange.
rule check_parity:
    input:
        track.inputs(
            "check_parity",
            X_train=paths.ARRAYS["X_train"],
            Y_train=paths.ARRAYS["Y_train"],
            X_test=paths.ARRAYS["X_test"],
            manifest=paths.MANIFEST,
            checkpoint=paths.CHECKPOINT,
        ),
    output:
        parity=reported(f"{paths.EPOCH}/parity.json", "Parity, in numbers"),
        differences=f"{paths.EPOCH}/parity.csv",
    log:
        paths.log("check_parity", paths.EPOCH),
    benchmark:
        paths.benchmark("check_parity", paths.EPOCH)
    resources:
        mem_mb=per_attempt(2000, per_input_mb=1, per_weights_mb=40),
        runtime=per_attempt(120),
        disk_mb=per_attempt(100),
    params:
        fingerprint=track.fingerprint("check_parity"),
        why=track.why("check_parity"),
    message:
        "Training {wildcards.run} to epoch {wildcards.epoch} here and in Keras{params.why}"
    script:
        "../scripts/check_parity.py"


rule plot_parity:
    input:
        track.inputs("plot_parity", f"{paths.EPOCH}/parity.csv"),
    output:
        plot_file(f"{paths.EPOCH}/parity", "Parity with Keras"),
    log:
        paths.log("plot_parity", paths.EPOCH),
    benchmark:
        paths.benchmark("plot_parity", paths.EPOCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_parity"),
        why=track.why("plot_parity"),
    message:
        "Plotting parity of {wildcards.run} with Keras at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_parity.py"
