# On request: what the trained network reacts to.
rule explain_run:
    input:
        **arrays("X_test", "Y_test"),
        checkpoint=paths.CHECKPOINT,
        metrics=paths.METRICS,
    output:
        paths.EXPLANATION,
    localrule: True
    message:
        "Explaining {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/explain_run.py"


rule plot_saliency:
    input:
        paths.EXPLANATION,
    output:
        plot_file(f"{paths.EPOCH}/explanation/saliency", "Saliency and occlusion"),
    localrule: True
    message:
        "Plotting the saliency of {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_saliency.py"


rule plot_attacks:
    input:
        paths.EXPLANATION,
    output:
        plot_file(f"{paths.EPOCH}/explanation/attacks", "Attacks"),
    localrule: True
    message:
        "Plotting attacks on {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_attacks.py"


rule plot_hidden_units:
    input:
        paths.EXPLANATION,
    output:
        plot_file(f"{paths.EPOCH}/explanation/hidden_units", "Hidden units"),
    localrule: True
    message:
        "Plotting the hidden units of {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_hidden_units.py"
