"""Draw the accuracy of a sweep's points over each setting that was swept."""

from scratchnet import job, plots

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    plots.plot_points(
        snakemake.input[0],
        snakemake.output[0],
        settings["plots.style"],
        swept=list(settings["rows"][0]["swept"]),
    )
