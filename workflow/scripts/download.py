"""Fetch a dataset's IDX files from the first source that has them."""

from pathlib import Path

from scratchnet import datasets, job

with job.stage_job(snakemake) as settings:
    datasets.download(
        dataset=datasets.DATASETS[settings["dataset"]],
        destination=Path(snakemake.output.source).parent,
        user_folder=snakemake.params.folder,
        timeout=snakemake.params.timeout,
    )
