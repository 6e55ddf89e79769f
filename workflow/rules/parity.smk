# On request: the same training in Keras, for comparison.
# It needs four times the memory for weights: two programs, in float64; and what they exchange.
rule check_parity:
    input:
        **arrays("X_train", "Y_train", "X_test"),
        checkpoint=paths.CHECKPOINT,
    output:
        parity=reported(f"{paths.EPOCH}/parity.json", "Parity, in numbers"),
        differences=f"{paths.EPOCH}/parity.csv",
    resources:
        mem_mb=per_attempt(2000, per_input_mb=1, per_weights_mb=40),
        runtime=per_attempt(120),
        disk_mb=per_attempt(100),
    message:
        "Training {params.called} to epoch {wildcards.epoch} here and in Keras{params.why}"
    script:
        "../scripts/check_parity.py"


rule plot_parity:
    input:
        f"{paths.EPOCH}/parity.csv",
    output:
        plot_file(f"{paths.EPOCH}/parity", "Parity with Keras"),
    localrule: True
    message:
        "Plotting parity of {params.called} with Keras at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_parity.py"
