# From public sources to arrays.
rule download:
    input:
        track.inputs("download"),
    output:
        **{name: f"results/data/{{dataset}}/{file}" for name, file in RAW.items()},
    log:
        "results/logs/download/{dataset}.log",
    benchmark:
        "results/benchmarks/download/{dataset}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        disk_mb=1500,
    params:
        fingerprint=track.fingerprint("download"),
        why=track.why("download"),
        folder=untracked("download.folder"),
        timeout=untracked("download.timeout"),
    message:
        "Downloading {wildcards.dataset}{params.why}"
    script:
        "../scripts/download.py"


rule preprocess:
    input:
        track.inputs("preprocess", **{role: raw_file(role) for role in RAW}),
    output:
        **{name: f"results/data/{{data}}/{name}.npy" for name in ARRAYS},
        manifest="results/data/{data}/manifest.json",
    log:
        "results/logs/preprocess/{data}.log",
    benchmark:
        "results/benchmarks/preprocess/{data}.tsv"
    threads: 1
    resources:
        mem_mb=growing(1000, inputs=5),
        runtime=growing(30),
        disk_mb=growing(100, inputs=8),
    params:
        fingerprint=track.fingerprint("preprocess"),
        why=track.why("preprocess"),
        own_files=untracked("files"),
    message:
        "Preparing the arrays {wildcards.data}{params.why}"
    script:
        "../scripts/preprocess.py"
