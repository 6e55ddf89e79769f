"""Draw the first layer's weights as images."""

from scratchnet import job, plots

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    plots.plot_weights(
        checkpoint=snakemake.input.checkpoint,
        manifest=snakemake.input.manifest,
        metrics=snakemake.input.metrics,
        picture=snakemake.output[0],
        style=settings["plots.style"],
    )
