# On request: the trained network, for use elsewhere.
rule export_keras:
    input:
        track.inputs(
            "export_keras",
            checkpoint="results/runs/{run}/checkpoints/epoch-{epoch}.npz",
            manifest="results/data/{data}/manifest.json",
        ),
    output:
        "results/runs/{run}/epoch-{epoch}/export/network.keras",
    log:
        "results/logs/export_keras/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/export_keras/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("export_keras"),
        why=track.why("export_keras"),
    message:
        "Exporting {wildcards.run} at epoch {wildcards.epoch} as a Keras model{params.why}"
    script:
        "../scripts/export_keras.py"


rule export_onnx:
    input:
        track.inputs(
            "export_onnx",
            checkpoint="results/runs/{run}/checkpoints/epoch-{epoch}.npz",
            manifest="results/data/{data}/manifest.json",
            metrics="results/runs/{run}/epoch-{epoch}/metrics.json",
        ),
    output:
        "results/runs/{run}/epoch-{epoch}/export/network.onnx",
    log:
        "results/logs/export_onnx/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/export_onnx/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("export_onnx"),
        why=track.why("export_onnx"),
    message:
        "Exporting {wildcards.run} at epoch {wildcards.epoch} as ONNX{params.why}"
    script:
        "../scripts/export_onnx.py"


rule export_npz:
    input:
        track.inputs(
            "export_npz",
            checkpoint="results/runs/{run}/checkpoints/epoch-{epoch}.npz",
            manifest="results/data/{data}/manifest.json",
            metrics="results/runs/{run}/epoch-{epoch}/metrics.json",
        ),
    output:
        arrays="results/runs/{run}/epoch-{epoch}/export/network.npz",
        readme="results/runs/{run}/epoch-{epoch}/export/README.md",
    log:
        "results/logs/export_npz/{run}/epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/export_npz/{run}/epoch-{epoch}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("export_npz"),
        why=track.why("export_npz"),
    message:
        "Exporting {wildcards.run} at epoch {wildcards.epoch} as arrays{params.why}"
    script:
        "../scripts/export_npz.py"
