"""Write the trained network as NumPy arrays, with a description."""

from snakefresh import recorded

from scratchnet.interop.export import export_npz
from scratchnet.job import stage_job

with stage_job(snakemake), recorded(snakemake) as settings:
    export_npz(
        **dict(snakemake.input.items()),
        convolutions=settings.get("model.convolutions", ()),
        activation=settings.get("model.activation"),
        title=snakemake.wildcards.run,
        path=snakemake.output.arrays,
        readme=snakemake.output.readme,
    )
