"""Write the trained network as ONNX."""

from snakefresh import recorded

from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.interop.export import export_onnx
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    export_onnx(
        [TrainedNetwork.load(**dict(snakemake.input.items()), settings=settings)],
        raw_pixels=settings["export.raw_pixels"],
        path=snakemake.output[0],
    )
