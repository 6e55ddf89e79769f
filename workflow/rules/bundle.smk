# On request: a run as one archive that can be given away.
rule bundle_run:
    input:
        checkpoint=paths.CHECKPOINT,
        record=paths.TRAINING_RECORD,
        manifest=of_run(paths.MANIFEST),
        metrics=paths.METRICS,
        history=paths.HISTORY,
        predictions=rules.evaluate.output.predictions,
        confusion=rules.evaluate.output.confusion,
        calibration=rules.evaluate.output.calibration,
        config=paths.RUN_CONFIG,
        arrays=rules.export_npz.output.arrays,
        readme=rules.export_npz.output.readme,
        pictures=results_of_run(
            "plot_history",
            "plot_confusion",
            "plot_misclassified",
            "plot_calibration",
            "plot_weights",
            "plot_augmentation",
        ),
    output:
        f"{paths.EPOCH}/bundle/{{run}}-epoch-{{epoch}}.zip",
    localrule: True
    message:
        "Bundling {wildcards.run} at epoch {wildcards.epoch}{params.why}"
    script:
        "../scripts/bundle_run.py"
