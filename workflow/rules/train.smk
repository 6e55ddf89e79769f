# From initial weights to checkpoints.


# Results do not depend on the number of threads, nor on --cores. There are up to eight arrays like
# the weights: gradients, Adam's state, the best epoch, sums; and for each replica its gradients. The
# checkpoint has up to four of them.
rule train:
    input:
        track.inputs(
            "train",
            X_train=paths.ARRAYS["X_train"],
            Y_train=paths.ARRAYS["Y_train"],
            X_validation=paths.ARRAYS["X_validation"],
            Y_validation=paths.ARRAYS["Y_validation"],
            manifest=paths.MANIFEST,
            start=start_checkpoint,
        ),
    output:
        checkpoint=paths.CHECKPOINT,
        record=paths.TRAINING_RECORD,
    log:
        paths.log("train", paths.EPOCH),
    benchmark:
        paths.benchmark("train", paths.EPOCH)
    threads: replicas
    resources:
        mem_mb=per_attempt(1000, per_input_mb=1, per_weights_mb=8),
        runtime=per_attempt(30),
        disk_mb=per_attempt(100, per_weights_mb=4),
    params:
        fingerprint=track.fingerprint("train"),
        why=track.why("train"),
        may_diverge=RUNS.search is not None,
    message:
        "Training {wildcards.run} to epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/train.py"
