"""Download a dataset's IDX files from the first source that has them."""

from snakefresh import recorded

from pathlib import Path

from scratchnet.data.registry import DATASETS
from scratchnet.data.sources import download
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    download(
        dataset=DATASETS[settings["dataset"]],
        destination=Path(snakemake.output.source).parent,
        user_folder=snakemake.params.folder,
        timeout=snakemake.params.timeout,
    )
