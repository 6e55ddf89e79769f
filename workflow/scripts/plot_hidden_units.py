"""Plot the test images by what reaches the last layer."""

from snakefresh import recorded

from scratchnet.evaluation.explanation_plots import plot_hidden_units
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_hidden_units(snakemake.input[0], snakemake.output[0], settings["plots.style"])
