# From measurements to plots. Each plot is drawn from the file of the same name beside it.
rule plot_history:
    input:
        paths.HISTORY,
    output:
        plot_file(f"{paths.EPOCH}/history", "Loss and accuracy by epoch"),
    localrule: True
    message:
        "Plotting loss and accuracy of {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_history.py"


rule plot_confusion:
    input:
        f"{paths.EPOCH}/confusion.csv",
    output:
        plot_file(f"{paths.EPOCH}/confusion", "Confusion matrix"),
    localrule: True
    message:
        "Plotting the confusion matrix of {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_confusion.py"


rule plot_misclassified:
    input:
        f"{paths.EPOCH}/misclassified.json",
    output:
        plot_file(f"{paths.EPOCH}/misclassified", "Misclassified images"),
    localrule: True
    message:
        "Plotting the mistakes of {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_misclassified.py"


rule plot_calibration:
    input:
        f"{paths.EPOCH}/calibration.csv",
    output:
        plot_file(f"{paths.EPOCH}/calibration", "Calibration"),
    localrule: True
    message:
        "Plotting the calibration of {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_calibration.py"


rule plot_weights:
    input:
        f"{paths.EPOCH}/weights.json",
    output:
        plot_file(f"{paths.EPOCH}/weights", "Weights"),
    localrule: True
    message:
        "Plotting the weights of {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_weights.py"


rule plot_augmentation:
    input:
        **arrays("X_train"),
    output:
        plot_file(f"{paths.RUN}/augmentation", "Augmented training images"),
    localrule: True
    message:
        "Plotting augmented training images of {params.called}{params.why}"
    script:
        "../scripts/plot_augmentation.py"
