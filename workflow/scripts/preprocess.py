"""Turn raw images into the normalised arrays that the network reads."""

from scratchnet import job, preprocessing

with job.stage_job(snakemake) as settings:
    preprocessing.prepare(
        raw=snakemake.params.own_files or dict(snakemake.input.items()),
        test_fraction=settings.get("test_fraction", 0),
        validation_fraction=settings["validation_fraction"],
        outputs=dict(snakemake.output.items()),
    )
