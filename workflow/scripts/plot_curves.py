"""Plot the loss by epoch of all runs of a sweep."""

from snakefresh import recorded

from scratchnet.evaluation.sweep_plots import plot_curves
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_curves(snakemake.input[0], snakemake.output[0], settings["plots.style"])
