"""Write the trained network as a Keras model."""

from scratchnet import export, job

with job.stage_job(snakemake) as settings:
    export.export_keras(
        **dict(snakemake.input.items()),
        activation=settings.get("model.activation"),
        raw_pixels=settings["export.raw_pixels"],
        path=snakemake.output[0],
    )
