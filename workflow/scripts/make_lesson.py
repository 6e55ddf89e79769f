"""Execute the lesson on the arrays of a dataset, and write it as a page."""

from snakefresh import recorded

from scratchnet.interop.lesson import make_lesson
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    make_lesson(snakemake.input.manifest, snakemake.output[0])
