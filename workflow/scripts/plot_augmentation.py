"""Plot training images and their random distortions."""

from snakefresh import recorded

from scratchnet.evaluation.augmentation_plot import plot_augmentation
from scratchnet.job import stage_job
from scratchnet.training.distortions import augmentation_settings

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_augmentation(
        snakemake.input.X_train,
        snakemake.input.manifest,
        snakemake.output[0],
        settings["plots.style"],
        augmentation_settings(settings),
    )
