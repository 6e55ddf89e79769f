"""Evaluate a checkpoint on the test images; write the settings of its run beside the results."""

from snakefresh import recorded

from scratchnet.evaluation.evaluation import evaluate
from scratchnet.job import stage_job
from scratchnet.planning.settings import write_settings

with stage_job(snakemake), recorded(snakemake) as settings:
    evaluate(
        data=dict(snakemake.input.items()),
        manifest=snakemake.input.manifest,
        checkpoint=snakemake.input.checkpoint,
        settings=settings,
        outputs=dict(snakemake.output.items()),
    )
    write_settings(settings, snakemake.output.settings)
