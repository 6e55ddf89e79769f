"""Train a run up to one of its checkpoints, from the checkpoint before it if there is one."""

from scratchnet import job, training

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    training.run_segment(
        name=snakemake.wildcards.run,
        data={name: snakemake.input[name] for name in training.ARRAYS},
        settings=settings,
        epochs=int(snakemake.wildcards.epoch),
        start=snakemake.input.start,
        checkpoint=snakemake.output.checkpoint,
        record=snakemake.output.record,
    )
