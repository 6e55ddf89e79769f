"""Plot the accuracy of the points of a sweep against each setting that varies."""

from snakefresh import recorded

from scratchnet.evaluation.sweep_plots import plot_points
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    plot_points(
        snakemake.input[0],
        snakemake.output[0],
        settings["plots.style"],
        swept=list(settings["rows"][0]["swept"]),
    )
