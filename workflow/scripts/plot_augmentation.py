"""Plot training images and random variants of them."""

from snakefresh import recorded

from scratchnet.evaluation.augmentation_plot import plot_augmentation
from scratchnet.job import stage_job
from scratchnet.training.augmentation_settings import select_augmentation

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_augmentation(
        snakemake.input.X_train,
        snakemake.input.manifest,
        snakemake.output[0],
        settings["plots.style"],
        select_augmentation(settings),
    )
