"""Execute the lesson on the arrays of a dataset, and write it as a page."""

from snakefresh import recorded

from scratchnet.job import stage_job
from scratchnet.lesson import make_lesson

with stage_job(snakemake), recorded(snakemake) as settings:
    make_lesson(snakemake.input.manifest, snakemake.output[0])
