"""Gather the results of all runs of the configuration into one table."""

from scratchnet import job, summary

with job.stage_job(snakemake) as settings:
    summary.summarize(settings["rows"], snakemake.output[0])
    summary.link_latest(settings["rows"], snakemake.params.latest)
