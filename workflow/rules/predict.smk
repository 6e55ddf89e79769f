# On request: predictions of an already trained network. Its files are not inputs, because Snakemake
# would then train it again if it is stale; the settings have a hash of their content.
rule predict_images:
    output:
        predictions=f"{paths.PREDICTION}/predictions.csv",
        contact_sheet=f"{paths.PREDICTION}/contact_sheet.json",
    localrule: True
    params:
        images=of_request("images"),
        network=of_request("network"),
        hashes=of_request("hashes"),
        run=of_request("run"),
    message:
        "Predicting {wildcards.prediction} with {params.run}{params.why}"
    script:
        "../scripts/predict_images.py"


rule plot_contact_sheet:
    input:
        f"{paths.PREDICTION}/contact_sheet.json",
    output:
        plot_file(f"{paths.PREDICTION}/contact_sheet", "Contact sheet"),
    localrule: True
    message:
        "Plotting the contact sheet of {wildcards.prediction}{params.why}"
    script:
        "../scripts/plot_contact_sheet.py"
