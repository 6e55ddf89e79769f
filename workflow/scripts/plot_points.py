"""Draw the accuracy of a sweep's points over each setting that was swept."""

from scratchnet import job, plots

with job.stage_job(snakemake) as settings:
    plots.plot_points(
        snakemake.input[0],
        snakemake.output[0],
        settings["plots.style"],
        swept=list(settings["rows"][0]["swept"]),
    )
