"""Write the trained network as NumPy arrays, with a description."""

from snakefresh import recorded

from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.interop.export import export_npz
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    export_npz(
        TrainedNetwork.load(**dict(snakemake.input.items()), settings=settings),
        title=snakemake.wildcards.run,
        path=snakemake.output.arrays,
        readme=snakemake.output.readme,
    )
