"""Draw the accuracy of a sweep's points over each setting that was swept."""

from scratchnet import job, plots

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    plots.plot_sweep(
        points=snakemake.input.points,
        swept=list(settings["rows"][0]["swept"]),
        picture=snakemake.output[0],
        style=settings["plots.style"],
    )
