"""Write the trained network as ONNX."""

from scratchnet import export, job

with job.stage_job(snakemake) as settings:
    export.export_onnx(
        **dict(snakemake.input.items()),
        activation=settings.get("model.activation"),
        raw_pixels=settings["export.raw_pixels"],
        path=snakemake.output[0],
    )
