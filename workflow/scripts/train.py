"""Train a run up to one of its checkpoints, from the checkpoint before it if there is one."""

from scratchnet import job, training

with job.stage_job(snakemake) as settings:
    training.run_segment(
        name=snakemake.wildcards.run,
        data={name: snakemake.input[name] for name in training.ARRAYS},
        settings=settings,
        epochs=int(snakemake.wildcards.epoch),
        start=snakemake.input.get("start"),
        checkpoint=snakemake.output.checkpoint,
        record=snakemake.output.record,
    )
