# On request: the trained network for use in other programs.
rule export_keras:
    input:
        track.inputs(
            "export_keras",
            checkpoint=paths.CHECKPOINT,
            manifest=paths.MANIFEST,
        ),
    output:
        f"{paths.EPOCH}/export/network.keras",
    log:
        paths.log("export_keras", paths.EPOCH),
    benchmark:
        paths.benchmark("export_keras", paths.EPOCH)
    localrule: True
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
            checkpoint=paths.CHECKPOINT,
            manifest=paths.MANIFEST,
            metrics=paths.METRICS,
        ),
    output:
        f"{paths.EPOCH}/export/network.onnx",
    log:
        paths.log("export_onnx", paths.EPOCH),
    benchmark:
        paths.benchmark("export_onnx", paths.EPOCH)
    localrule: True
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
            checkpoint=paths.CHECKPOINT,
            manifest=paths.MANIFEST,
            metrics=paths.METRICS,
        ),
    output:
        arrays=f"{paths.EPOCH}/export/network.npz",
        readme=f"{paths.EPOCH}/export/README.md",
    log:
        paths.log("export_npz", paths.EPOCH),
    benchmark:
        paths.benchmark("export_npz", paths.EPOCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("export_npz"),
        why=track.why("export_npz"),
    message:
        "Exporting {wildcards.run} at epoch {wildcards.epoch} as arrays{params.why}"
    script:
        "../scripts/export_npz.py"
