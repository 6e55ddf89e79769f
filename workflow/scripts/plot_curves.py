"""Draw the loss by epoch of all runs of a sweep."""

from scratchnet import job, plots

with job.stage_job(snakemake) as settings:
    plots.plot_curves(snakemake.input[0], snakemake.output[0], settings["plots.style"])
