"""Draw the loss by epoch."""

from scratchnet import job, plots

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    plots.plot_loss(snakemake.input.history, snakemake.output[0], settings["plots.style"])
