"""Put the points of a sweep side by side, seeds together, and the curves of all its runs."""

from scratchnet import job, summary

with job.stage_job(snakemake) as settings:
    summary.compare(settings["rows"], snakemake.output.points, snakemake.output.curves)
