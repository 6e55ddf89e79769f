# On request: the trained network for use in other programs.
rule export_keras:
    input:
        checkpoint=paths.CHECKPOINT,
        manifest=of_run(paths.MANIFEST),
        metrics=paths.METRICS,
    output:
        f"{paths.EPOCH}/export/network.keras",
    localrule: True
    message:
        "Exporting {params.called} at epoch {wildcards.epoch} as a Keras model{params.why}"
    script:
        "../scripts/export_keras.py"


rule export_onnx:
    input:
        checkpoint=paths.CHECKPOINT,
        manifest=of_run(paths.MANIFEST),
        metrics=paths.METRICS,
    output:
        f"{paths.EPOCH}/export/network.onnx",
    localrule: True
    message:
        "Exporting {params.called} at epoch {wildcards.epoch} as ONNX{params.why}"
    script:
        "../scripts/export_onnx.py"


rule export_npz:
    input:
        checkpoint=paths.CHECKPOINT,
        manifest=of_run(paths.MANIFEST),
        metrics=paths.METRICS,
    output:
        arrays=f"{paths.EPOCH}/export/network.npz",
        readme=f"{paths.EPOCH}/export/README.md",
    localrule: True
    message:
        "Exporting {params.called} at epoch {wildcards.epoch} as arrays{params.why}"
    script:
        "../scripts/export_npz.py"
