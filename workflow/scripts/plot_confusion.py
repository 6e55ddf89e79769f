"""Draw the confusion matrix of the test images."""

from scratchnet import job, plots

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    plots.plot_confusion(snakemake.input[0], snakemake.output[0], settings["plots.style"])
