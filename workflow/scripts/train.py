"""Train a run to one of its checkpoints, starting from the checkpoint before it, if any."""

from snakefresh import recorded

from scratchnet.job import stage_job
from scratchnet.training.segments import ARRAYS, train_to_checkpoint

with stage_job(snakemake), recorded(snakemake) as settings:
    train_to_checkpoint(
        name=snakemake.wildcards.run,
        data={name: snakemake.input[name] for name in ARRAYS},
        manifest=snakemake.input.manifest,
        settings=settings,
        epochs=int(snakemake.wildcards.epoch),
        start=snakemake.input.get("start"),
        checkpoint=snakemake.output.checkpoint,
        record=snakemake.output.record,
        may_diverge=snakemake.params.may_diverge,
        threads=snakemake.threads,
    )
