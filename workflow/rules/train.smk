# From initial weights to checkpoints.


# Results do not depend on the number of threads, nor on --cores. There are up to eight arrays like
# the weights: gradients, Adam's state, the best epoch, sums; and for each replica its gradients. The
# checkpoint has up to four of them.
rule train:
    input:
        **arrays("X_train", "Y_train", "X_validation", "Y_validation"),
        start=start_checkpoint,
    output:
        checkpoint=paths.CHECKPOINT,
        record=paths.TRAINING_RECORD,
    threads: replicas
    resources:
        mem_mb=per_attempt(1000, per_input_mb=1, per_weights_mb=8),
        runtime=per_attempt(30),
        disk_mb=per_attempt(100, per_weights_mb=4),
    params:
        may_diverge=RUNS.search is not None,
    message:
        "Training {params.called} to epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/train.py"
