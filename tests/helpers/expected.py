"""Which stages run: names for the sets of stages that tests expect."""

PLOTS = {
    "plot_history",
    "plot_confusion",
    "plot_misclassified",
    "plot_calibration",
    "plot_weights",
}
AFTER_TRAINING = {"evaluate", "summarize"} | PLOTS
AUGMENTED = {"plot_augmentation"}  # only in runs with augmentation
COMPARISON = {"compare_points", "plot_curves", "plot_points"}
ENSEMBLE = {"evaluate_ensembles", "export_ensemble"}  # of a sweep
SEARCH = {"rank_rung", "compare_trials", "plot_rungs", "plot_trials"}
RUN = {"train"} | AFTER_TRAINING
RUN_OF_A_SWEEP = RUN - PLOTS  # which are drawn on request
DATA = {"download", "preprocess"}
EVERYTHING = DATA | RUN

# The stages that run on request, by the target that asks for them.
ON_REQUEST = {
    "make_demo": "demo",
    "make_lesson": "lesson",
    "explain_run": "explain",
    "plot_saliency": "explain",
    "plot_attacks": "explain",
    "plot_hidden_units": "explain",
    "check_parity": "parity",
    "plot_parity": "parity",
    "export_keras": "export",
    "export_onnx": "export",
    "export_npz": "export",
    "evaluate_ensembles": "ensemble",
    "export_ensemble": "export",
    "bundle_run": "bundle",
    "predict_images": "predict",
    "plot_contact_sheet": "predict",
}

# What runs after each stage of a run without a sweep.
FOLLOWING = {
    "download": EVERYTHING,
    "preprocess": EVERYTHING - {"download"},
    "train": {"train"} | AFTER_TRAINING,
    "evaluate": AFTER_TRAINING,
    "summarize": {"summarize"},
    **{plot: {plot} for plot in sorted(PLOTS)},
}


def once(stages):
    return {stage: 1 for stage in stages}
