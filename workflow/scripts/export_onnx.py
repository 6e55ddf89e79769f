"""Write the trained network as ONNX."""

from snakefresh import recorded

from scratchnet.interop.export import export_onnx
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    export_onnx(
        **dict(snakemake.input.items()),
        convolutions=settings.get("model.convolutions", ()),
        activation=settings.get("model.activation"),
        raw_pixels=settings["export.raw_pixels"],
        path=snakemake.output[0],
    )
