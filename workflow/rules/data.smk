# From public datasets, or the user's own data, to arrays.
rule download:
    output:
        **paths.RAW_FILES,
        source=paths.SOURCE,
    localrule: True
    params:
        folder=setting("download.folder"),
        timeout=setting("download.timeout"),
    message:
        "Downloading {wildcards.dataset}{params.why}"
    script:
        "../scripts/download.py"


# Labels of many classes, one-hot encoded, need far more room than the images.
rule preprocess:
    input:
        **{role: raw_file(role) for role in paths.RAW_FILES},
    output:
        **paths.ARRAYS,
        manifest=paths.MANIFEST,
    resources:
        mem_mb=per_attempt(1000, per_input_mb=5),
        runtime=per_attempt(30),
        disk_mb=per_attempt(1000, per_input_mb=8),
    params:
        user_files=setting("files"),
    message:
        "Preparing the arrays {wildcards.data}{params.why}"
    script:
        "../scripts/preprocess.py"
