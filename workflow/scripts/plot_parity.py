"""Draw a training here and in Keras, and how far they are apart."""

from scratchnet import job, plots

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    plots.plot_parity(snakemake.input[0], snakemake.output[0], settings["plots.style"])
