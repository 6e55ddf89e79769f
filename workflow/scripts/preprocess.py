"""Turn raw images into the normalised arrays that the network reads."""

from scratchnet.data.preprocessing import preprocess
from scratchnet.job import stage_job

with stage_job(snakemake) as settings:
    preprocess(
        raw=snakemake.params.user_files or dict(snakemake.input.items()),
        content=settings.get("content"),
        test_fraction=settings.get("test_fraction", 0),
        validation_fraction=settings["validation_fraction"],
        outputs=dict(snakemake.output.items()),
    )
