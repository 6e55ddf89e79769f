"""Turn raw images into the normalised arrays that the network reads."""

from scratchnet import job, preprocessing

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    preprocessing.prepare(
        raw=dict(snakemake.input.items()),
        test_fraction=settings.get("test_fraction", 0),
        validation_fraction=settings["validation_fraction"],
        outputs=dict(snakemake.output.items()),
    )
