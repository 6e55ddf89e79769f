"""Gather the results of all runs of the configuration in one table."""

from snakefresh import recorded

from scratchnet.evaluation.summary import link_latest, summarize
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    rows = summarize(settings["rows"], snakemake.output[0])
    link_latest(rows, snakemake.params.latest)
