# On request: predictions of an already trained network. Its files are not inputs, because Snakemake
# would then train it again if it is stale; the fingerprint has a hash of their content.
rule predict_images:
    input:
        track.inputs("predict_images"),
    output:
        predictions=f"{paths.PREDICTION}/predictions.csv",
        contact_sheet=f"{paths.PREDICTION}/contact_sheet.json",
    log:
        paths.log("predict_images", paths.PREDICTION),
    benchmark:
        paths.benchmark("predict_images", paths.PREDICTION)
    localrule: True
    params:
        fingerprint=track.fingerprint("predict_images"),
        why=track.why("predict_images"),
        images=of_request("images"),
        network=of_request("network"),
        hashes=of_request("hashes"),
    message:
        "Predicting {wildcards.prediction}{params.why}"
    script:
        "../scripts/predict_images.py"


rule plot_contact_sheet:
    input:
        track.inputs("plot_contact_sheet", f"{paths.PREDICTION}/contact_sheet.json"),
    output:
        plot_file(f"{paths.PREDICTION}/contact_sheet", "Contact sheet"),
    log:
        paths.log("plot_contact_sheet", paths.PREDICTION),
    benchmark:
        paths.benchmark("plot_contact_sheet", paths.PREDICTION)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_contact_sheet"),
        why=track.why("plot_contact_sheet"),
    message:
        "Plotting the contact sheet of {wildcards.prediction}{params.why}"
    script:
        "../scripts/plot_contact_sheet.py"
