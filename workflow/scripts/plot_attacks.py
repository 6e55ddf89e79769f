"""Plot the accuracy under attacks."""

from snakefresh import recorded

from scratchnet.evaluation.explanation_plots import plot_attacks
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_attacks(snakemake.input[0], snakemake.output[0], settings["plots.style"])
