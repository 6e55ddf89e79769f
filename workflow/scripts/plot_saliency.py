"""Plot which pixels a network reacts to."""

from snakefresh import recorded

from scratchnet.evaluation.explanation_plots import plot_saliency
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_saliency(snakemake.input[0], snakemake.output[0], settings["plots.style"])
