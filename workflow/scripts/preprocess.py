"""Turn raw images into the normalised arrays that the network reads."""

from snakefresh import recorded

from scratchnet.data.preprocessing import preprocess
from scratchnet.data.registry import DATASETS
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    preprocess(
        raw=snakemake.params.user_files or dict(snakemake.input.items()),
        content=settings.get("content"),
        test_fraction=settings.get("test_fraction", 0),
        validation_fraction=settings["validation_fraction"],
        outputs=dict(snakemake.output.items()),
        class_names=() if "content" in settings else DATASETS[settings["dataset"]].classes,
        standardize=settings.get("standardize", False),
        image={
            "size": settings.get("image.size"),
            "mode": settings.get("image.mode"),
            "skip_damaged": settings.get("image.skip_damaged", False),
        },
    )
