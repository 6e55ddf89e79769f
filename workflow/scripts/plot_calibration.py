"""Draw how right the network is over how confident it is."""

from scratchnet import job, plots

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    plots.plot_calibration(snakemake.input[0], snakemake.output[0], settings["plots.style"])
