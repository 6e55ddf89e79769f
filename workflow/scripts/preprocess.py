"""Turn raw images into the normalised arrays that the network reads."""

from scratchnet import datasets, job, preprocessing

with job.running(snakemake.log[0], snakemake.params.key) as settings:
    preprocessing.prepare(
        raw=dict(snakemake.input.items()),
        classes=datasets.DATASETS[settings["dataset"]].classes,
        validation_fraction=settings["validation_fraction"],
        outputs=dict(snakemake.output.items()),
    )
