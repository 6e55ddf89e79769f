"""Compare the points of a sweep, averaged over seeds, and gather the curves of its runs."""

from snakefresh import recorded

from scratchnet.evaluation.summary import compare_points
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    compare_points(settings["rows"], snakemake.output.points, snakemake.output.curves)
