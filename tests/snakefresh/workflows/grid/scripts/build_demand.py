"""Scales the measured demand."""

from snakefresh import recorded

import logging

from _helpers import configure_logging, read_csv, write_csv

logger = logging.getLogger(__name__)


def scale_demand(rows, scale):
    """Return the demand of all hours, scaled."""
    return [{"hour": row.pop("hour"), **{n: scale * d for n, d in row.items()}} for row in rows]


def fill_gaps(rows):
    """Return the rows with the mean of the neighbours in gaps (not needed for these data)."""
    return rows


if __name__ == "__main__":
    if "snakemake" not in globals():
        from _helpers import mock_snakemake

        snakemake = mock_snakemake("build_demand")
    configure_logging(snakemake)

    demand = scale_demand(read_csv(snakemake.input[0]), snakemake.params.scale)
    logger.info("%d steps of demand", len(demand))
    write_csv(snakemake.output[0], demand)

    with recorded(snakemake):
        pass
