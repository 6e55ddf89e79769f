# On request: a run as a run of MLflow, on the server that its environment variables name.
rule publish_run:
    input:
        checkpoint=paths.CHECKPOINT,
        record=paths.TRAINING_RECORD,
        metrics=paths.METRICS,
        history=paths.HISTORY,
        config=paths.RUN_CONFIG,
        pictures=results_of_run(
            "plot_history",
            "plot_confusion",
            "plot_misclassified",
            "plot_calibration",
            "plot_weights",
            "plot_augmentation",
        ),
    output:
        f"{paths.EPOCH}/published.json",
    localrule: True
    params:
        server=tracking_server,
        experiment=tracking_experiment,
    message:
        "Publishing {params.called} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/publish_run.py"
