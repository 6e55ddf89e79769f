# On request: the same training in Keras, beside the one here.
rule check_parity:
    input:
        track.inputs(
            "check_parity",
            X_train="results/data/{data}/X_train.npy",
            Y_train="results/data/{data}/Y_train.npy",
            X_test="results/data/{data}/X_test.npy",
            checkpoint="results/runs/{run}/checkpoints/epoch-{epoch}.npz",
        ),
    output:
        parity=reported("results/runs/{run}/epoch-{epoch}/parity.json", "Parity, in numbers"),
        differences="results/runs/{run}/epoch-{epoch}/parity.csv",
    log:
        "results/logs/check_parity/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/check_parity/{run}/epoch-{epoch}.tsv"
    threads: 1
    resources:
        mem_mb=growing(2000, inputs=1),
        runtime=growing(120),
        disk_mb=growing(100),
    params:
        fingerprint=track.fingerprint("check_parity"),
        why=track.why("check_parity"),
    message:
        "Training {wildcards.run} to epoch {wildcards.epoch} beside Keras{params.why}"
    script:
        "../scripts/check_parity.py"


rule plot_parity:
    input:
        track.inputs("plot_parity", "results/runs/{run}/epoch-{epoch}/parity.csv"),
    output:
        picture("results/runs/{run}/epoch-{epoch}/parity", "Parity with Keras"),
    log:
        "results/logs/plot_parity/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/plot_parity/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("plot_parity"),
        why=track.why("plot_parity"),
    message:
        "Drawing {wildcards.run} beside Keras at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_parity.py"
