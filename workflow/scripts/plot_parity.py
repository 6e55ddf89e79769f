"""Draw a training here and in Keras, and how far they are apart."""

from scratchnet import job, plots

with job.stage_job(snakemake) as settings:
    plots.plot_parity(snakemake.input[0], snakemake.output[0], settings["plots.style"])
