"""Draw some of the test images that the network gets wrong."""

from scratchnet import job, plots

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    plots.plot_misclassified(
        predictions=snakemake.input.predictions,
        X_test=snakemake.input.X_test,
        manifest=snakemake.input.manifest,
        picture=snakemake.output[0],
        style=settings["plots.style"],
        count=settings["plots.misclassified"],
        seed=settings["plots.seed"],
    )
