"""Evaluate a checkpoint on the test images."""

from scratchnet.evaluation.evaluation import evaluate
from scratchnet.job import stage_job

with stage_job(snakemake) as settings:
    evaluate(
        data=dict(snakemake.input.items()),
        manifest=snakemake.input.manifest,
        checkpoint=snakemake.input.checkpoint,
        settings=settings,
        outputs=dict(snakemake.output.items()),
    )
