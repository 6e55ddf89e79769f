"""Repeat a training here and in Keras side by side, and see that both come to the same."""

from scratchnet import job, parity

with job.stage_job(snakemake) as settings:
    parity.check_parity(
        data={name: snakemake.input[name] for name in ("X_train", "Y_train", "X_test")},
        checkpoint=snakemake.input.checkpoint,
        settings=settings,
        name=snakemake.wildcards.run,
        parity=snakemake.output.parity,
        differences=snakemake.output.differences,
    )
