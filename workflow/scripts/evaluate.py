"""Score a checkpoint on the test images."""

from scratchnet import evaluation, job

with job.stage_job(snakemake) as settings:
    evaluation.evaluate(
        data=dict(snakemake.input.items()),
        manifest=snakemake.input.manifest,
        checkpoint=snakemake.input.checkpoint,
        settings=settings,
        outputs=dict(snakemake.output.items()),
    )
