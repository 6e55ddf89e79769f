# From public datasets, or the user's own data, to arrays.
rule download:
    input:
        track.inputs("download"),
    output:
        **paths.RAW_FILES,
    log:
        paths.log("download", paths.DATASET),
    benchmark:
        paths.benchmark("download", paths.DATASET)
    localrule: True
    params:
        fingerprint=track.fingerprint("download"),
        why=track.why("download"),
        folder=untracked("download.folder"),
        timeout=untracked("download.timeout"),
    message:
        "Downloading {wildcards.dataset}{params.why}"
    script:
        "../scripts/download.py"


# Labels of many classes, one-hot encoded, need far more room than the images.
rule preprocess:
    input:
        track.inputs("preprocess", **{role: raw_file(role) for role in paths.RAW_FILES}),
    output:
        **paths.ARRAYS,
        manifest=paths.MANIFEST,
    log:
        paths.log("preprocess", paths.DATA),
    benchmark:
        paths.benchmark("preprocess", paths.DATA)
    resources:
        mem_mb=per_attempt(1000, per_input_mb=5),
        runtime=per_attempt(30),
        disk_mb=per_attempt(1000, per_input_mb=8),
    params:
        fingerprint=track.fingerprint("preprocess"),
        why=track.why("preprocess"),
        user_files=untracked("files"),
    message:
        "Preparing the arrays {wildcards.data}{params.why}"
    script:
        "../scripts/preprocess.py"
