"""Plot the first layer's weights as images."""

from snakefresh import recorded

from scratchnet.evaluation.plots import plot_weights
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_weights(snakemake.input[0], snakemake.output[0], settings["plots.style"])
