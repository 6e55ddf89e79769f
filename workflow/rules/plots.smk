# From measurements to plots. Each plot is drawn from the file of the same name beside it.
rule plot_history:
    input:
        track.inputs("plot_history", paths.HISTORY),
    output:
        plot_file(f"{paths.EPOCH}/history", "Loss and accuracy by epoch"),
    log:
        paths.log("plot_history", paths.EPOCH),
    benchmark:
        paths.benchmark("plot_history", paths.EPOCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_history"),
        why=track.why("plot_history"),
    message:
        "Plotting loss and accuracy of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_history.py"


rule plot_confusion:
    input:
        track.inputs("plot_confusion", f"{paths.EPOCH}/confusion.csv"),
    output:
        plot_file(f"{paths.EPOCH}/confusion", "Confusion matrix"),
    log:
        paths.log("plot_confusion", paths.EPOCH),
    benchmark:
        paths.benchmark("plot_confusion", paths.EPOCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_confusion"),
        why=track.why("plot_confusion"),
    message:
        "Plotting the confusion matrix of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_confusion.py"


rule plot_misclassified:
    input:
        track.inputs("plot_misclassified", f"{paths.EPOCH}/misclassified.json"),
    output:
        plot_file(f"{paths.EPOCH}/misclassified", "Misclassified images"),
    log:
        paths.log("plot_misclassified", paths.EPOCH),
    benchmark:
        paths.benchmark("plot_misclassified", paths.EPOCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_misclassified"),
        why=track.why("plot_misclassified"),
    message:
        "Plotting the mistakes of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_misclassified.py"


rule plot_calibration:
    input:
        track.inputs("plot_calibration", f"{paths.EPOCH}/calibration.csv"),
    output:
        plot_file(f"{paths.EPOCH}/calibration", "Calibration"),
    log:
        paths.log("plot_calibration", paths.EPOCH),
    benchmark:
        paths.benchmark("plot_calibration", paths.EPOCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_calibration"),
        why=track.why("plot_calibration"),
    message:
        "Plotting the calibration of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_calibration.py"


rule plot_weights:
    input:
        track.inputs("plot_weights", f"{paths.EPOCH}/weights.json"),
    output:
        plot_file(f"{paths.EPOCH}/weights", "Weights"),
    log:
        paths.log("plot_weights", paths.EPOCH),
    benchmark:
        paths.benchmark("plot_weights", paths.EPOCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_weights"),
        why=track.why("plot_weights"),
    message:
        "Plotting the weights of {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/plot_weights.py"


rule plot_augmentation:
    input:
        track.inputs(
            "plot_augmentation",
            X_train=paths.ARRAYS["X_train"],
            manifest=paths.MANIFEST,
        ),
    output:
        plot_file(f"{paths.RUN}/augmentation", "Distorted training images"),
    log:
        paths.log("plot_augmentation", paths.RUN),
    benchmark:
        paths.benchmark("plot_augmentation", paths.RUN)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_augmentation"),
        why=track.why("plot_augmentation"),
    message:
        "Plotting distorted training images of {wildcards.run}{params.why}"
    script:
        "../scripts/plot_augmentation.py"
