"""Plot the confusion matrix of the test images."""

from snakefresh import recorded

from scratchnet.evaluation.plots import plot_confusion
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_confusion(snakemake.input[0], snakemake.output[0], settings["plots.style"])
