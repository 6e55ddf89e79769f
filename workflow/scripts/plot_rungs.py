"""Plot the validation loss of the trials of a search by epoch."""

from snakefresh import recorded

from scratchnet.evaluation.search_plots import plot_rungs
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_rungs(snakemake.input[0], snakemake.output[0], settings["plots.style"], settings["rungs"])
