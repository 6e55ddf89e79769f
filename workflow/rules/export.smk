# On request: the trained network, for use elsewhere.
rule export_keras:
    input:
        checkpoint=needs("export_keras", "results/runs/{run}/checkpoints/epoch-{epoch}.npz"),
        manifest=needs("export_keras", "results/data/{data}/manifest.json"),
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
        key=key_of("export_keras"),
        why=why("export_keras"),
    message:
        "Exporting {wildcards.run} at epoch {wildcards.epoch} as a Keras model{params.why}"
    script:
        "../scripts/export_keras.py"


rule export_onnx:
    input:
        checkpoint=needs("export_onnx", "results/runs/{run}/checkpoints/epoch-{epoch}.npz"),
        manifest=needs("export_onnx", "results/data/{data}/manifest.json"),
        metrics=needs("export_onnx", "results/runs/{run}/epoch-{epoch}/metrics.json"),
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
        key=key_of("export_onnx"),
        why=why("export_onnx"),
    message:
        "Exporting {wildcards.run} at epoch {wildcards.epoch} as ONNX{params.why}"
    script:
        "../scripts/export_onnx.py"


rule export_npz:
    input:
        checkpoint=needs("export_npz", "results/runs/{run}/checkpoints/epoch-{epoch}.npz"),
        manifest=needs("export_npz", "results/data/{data}/manifest.json"),
        metrics=needs("export_npz", "results/runs/{run}/epoch-{epoch}/metrics.json"),
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
        key=key_of("export_npz"),
        why=why("export_npz"),
    message:
        "Exporting {wildcards.run} at epoch {wildcards.epoch} as arrays{params.why}"
    script:
        "../scripts/export_npz.py"
