"""Draw the first layer's weights as images."""

from scratchnet import job, plots

with job.stage_job(snakemake) as settings:
    plots.plot_weights(snakemake.input[0], snakemake.output[0], settings["plots.style"])
