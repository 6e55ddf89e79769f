# From initial weights to checkpoints.
rule describe:
    input:
        track.inputs("describe"),
    output:
        reported("results/runs/{run}/config.yaml", "Settings"),
    log:
        "results/logs/describe/{run}.log",
    benchmark:
        "results/benchmarks/describe/{run}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("describe"),
        why=track.why("describe"),
    message:
        "Noting the settings of {wildcards.run}{params.why}"
    script:
        "../scripts/describe.py"


# One thread: two gain almost nothing here, and results must not depend on --cores.
rule train:
    input:
        track.inputs(
            "train",
            X_train="results/data/{data}/X_train.npy",
            Y_train="results/data/{data}/Y_train.npy",
            X_validation="results/data/{data}/X_validation.npy",
            Y_validation="results/data/{data}/Y_validation.npy",
            start=start_of,
        ),
    output:
        checkpoint="results/runs/{run}/checkpoints/epoch-{epoch}.npz",
        record="results/runs/{run}/checkpoints/epoch-{epoch}.json",
    log:
        "results/logs/train/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/train/{run}/epoch-{epoch}.tsv"
    threads: 1
    resources:
        mem_mb=growing(1000, inputs=1),
        runtime=growing(30),
        disk_mb=growing(100),
    params:
        fingerprint=track.fingerprint("train"),
        why=track.why("train"),
    message:
        "Training {wildcards.run} to epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/train.py"
