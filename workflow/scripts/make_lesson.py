"""Execute the lesson on the arrays of a dataset, and write it as a page."""

from scratchnet.interop.lesson import make_lesson
from scratchnet.job import stage_job

with stage_job(snakemake) as settings:
    make_lesson(snakemake.input.manifest, snakemake.output[0])
