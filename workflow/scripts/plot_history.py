"""Draw loss and accuracy by epoch."""

from scratchnet import job, plots

with job.stage_job(snakemake) as settings:
    plots.plot_history(snakemake.input[0], snakemake.output[0], settings["plots.style"])
