"""Plot the test images that the network misclassifies."""

from snakefresh import recorded

from scratchnet.evaluation.plots import plot_misclassified
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_misclassified(
        snakemake.input[0],
        snakemake.output[0],
        settings["plots.style"],
        settings["plots.misclassified"],
    )
