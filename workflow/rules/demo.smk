# On request: a page on which the trained network can be tried out.
rule make_demo:
    input:
        track.inputs(
            "make_demo",
            checkpoint="results/runs/{run}/checkpoints/epoch-{epoch}.npz",
            manifest="results/data/{data}/manifest.json",
            metrics="results/runs/{run}/epoch-{epoch}/metrics.json",
            X_test="results/data/{data}/X_test.npy",
            Y_test="results/data/{data}/Y_test.npy",
        ),
    output:
        "results/runs/{run}/epoch-{epoch}/demo.html",
    log:
        "results/logs/make_demo/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/make_demo/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("make_demo"),
        why=track.why("make_demo"),
    message:
        "Making the page of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/make_demo.py"
