"""Write the ensemble of all runs of a sweep as ONNX."""

from snakefresh import recorded

from scratchnet.evaluation.ensembles import add_files, load_members
from scratchnet.interop.export import export_onnx
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    runs = add_files(settings["rows"], settings["networks"], dict(snakemake.input.items()))
    export_onnx(
        load_members(runs),
        raw_pixels=settings["export.raw_pixels"],
        path=snakemake.output[0],
    )
