"""Draw how right the network is over how confident it is."""

from scratchnet import job, plots

with job.stage_job(snakemake) as settings:
    plots.plot_calibration(snakemake.input[0], snakemake.output[0], settings["plots.style"])
