"""Evaluate a checkpoint on the test images; write its settings, a configuration, beside them."""

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
    epochs = {"training.epochs": int(snakemake.wildcards.epoch)}
    write_settings(settings | epochs, snakemake.output.settings)
