"""Plot the training in Scratchnet and in Keras, and the differences."""

from snakefresh import recorded

from scratchnet.evaluation.parity_plot import plot_parity
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_parity(snakemake.input[0], snakemake.output[0], settings["plots.style"])
