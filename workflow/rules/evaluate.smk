# From a checkpoint to numbers.
rule evaluate:
    input:
        track.inputs(
            "evaluate",
            X_test="results/data/{data}/X_test.npy",
            Y_test="results/data/{data}/Y_test.npy",
            manifest="results/data/{data}/manifest.json",
            checkpoint="results/runs/{run}/checkpoints/epoch-{epoch}.npz",
        ),
    output:
        metrics="results/runs/{run}/epoch-{epoch}/metrics.json",
        history="results/runs/{run}/epoch-{epoch}/history.csv",
        predictions="results/runs/{run}/epoch-{epoch}/predictions.csv",
        confusion="results/runs/{run}/epoch-{epoch}/confusion.csv",
        calibration="results/runs/{run}/epoch-{epoch}/calibration.csv",
        misclassified="results/runs/{run}/epoch-{epoch}/misclassified.json",
        weights="results/runs/{run}/epoch-{epoch}/weights.json",
    log:
        "results/logs/evaluate/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/evaluate/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("evaluate"),
        why=track.why("evaluate"),
    message:
        "Testing {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/evaluate.py"
