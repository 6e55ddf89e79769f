# On request: what a network that was trained before takes images for. Its files are no inputs, or
# Snakemake would train it anew where it is stale; the fingerprint has their content.
rule predict_images:
    input:
        track.inputs("predict_images"),
    output:
        predictions="results/predictions/{prediction}/predictions.csv",
        contact_sheet="results/predictions/{prediction}/contact_sheet.json",
    log:
        "results/logs/predict_images/{prediction}.log",
    benchmark:
        "results/benchmarks/predict_images/{prediction}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("predict_images"),
        why=track.why("predict_images"),
        images=of_request("images"),
        network=of_request("network"),
    message:
        "Predicting {wildcards.prediction}{params.why}"
    script:
        "../scripts/predict_images.py"


rule plot_contact_sheet:
    input:
        track.inputs("plot_contact_sheet", "results/predictions/{prediction}/contact_sheet.json"),
    output:
        picture("results/predictions/{prediction}/contact_sheet", "Contact sheet"),
    log:
        "results/logs/plot_contact_sheet/{prediction}.log",
    benchmark:
        "results/benchmarks/plot_contact_sheet/{prediction}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
        disk_mb=100,
    params:
        fingerprint=track.fingerprint("plot_contact_sheet"),
        why=track.why("plot_contact_sheet"),
    message:
        "Drawing the contact sheet of {wildcards.prediction}{params.why}"
    script:
        "../scripts/plot_contact_sheet.py"
