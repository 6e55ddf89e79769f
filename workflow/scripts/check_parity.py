"""Repeat the training of a run in Scratchnet and in Keras, and compare the two."""

from snakefresh import recorded

from scratchnet.interop.parity import check_parity
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    check_parity(
        data={name: snakemake.input[name] for name in ("X_train", "Y_train", "X_test")},
        manifest=snakemake.input.manifest,
        checkpoint=snakemake.input.checkpoint,
        settings=settings,
        name=snakemake.wildcards.run,
        parity=snakemake.output.parity,
        differences=snakemake.output.differences,
    )
