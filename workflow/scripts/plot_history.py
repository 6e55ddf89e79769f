"""Draw loss and accuracy by epoch."""

from scratchnet import job, plots

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    plots.plot_history(snakemake.input[0], snakemake.output[0], settings["plots.style"])
