"""Gather the results of all runs of the configuration into one table."""

from scratchnet import job, summary

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    summary.summarize(settings["rows"], snakemake.output[0])
