"""Draw the test images that the network gets wrong."""

from scratchnet import job, plots

with job.stage_job(snakemake) as settings:
    plots.plot_misclassified(
        snakemake.input[0],
        snakemake.output[0],
        settings["plots.style"],
        settings["plots.misclassified"],
    )
