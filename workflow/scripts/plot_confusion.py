"""Draw the confusion matrix of the test images."""

from scratchnet import job, plots

with job.stage_job(snakemake) as settings:
    plots.plot_confusion(snakemake.input[0], snakemake.output[0], settings["plots.style"])
