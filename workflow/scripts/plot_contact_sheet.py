"""Draw images as the network got them, and what it took them for."""

from scratchnet import job, plots

with job.stage_job(snakemake) as settings:
    plots.plot_contact_sheet(snakemake.input[0], snakemake.output[0], settings["plots.style"])
