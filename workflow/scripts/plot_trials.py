"""Plot the trials of a search against each setting that is searched."""

from snakefresh import recorded

from scratchnet.evaluation.search_plots import plot_trials
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_trials(snakemake.input[0], snakemake.output[0], settings["plots.style"], settings["axes"])
