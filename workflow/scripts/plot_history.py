"""Plot loss and accuracy by epoch."""

from snakefresh import recorded

from scratchnet.evaluation.plots import plot_history
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_history(snakemake.input[0], snakemake.output[0], settings["plots.style"])
