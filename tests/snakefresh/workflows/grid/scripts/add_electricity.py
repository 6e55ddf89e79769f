"""Joins demand, profiles, costs and lines to a network."""

from snakefresh import recorded

import logging

from _helpers import configure_logging, read_csv, write_network

logger = logging.getLogger(__name__)
PREFIX = "profile_"


def attach_demand(network, path):
    network["demand"] = [sum(v for k, v in row.items() if k != "hour") for row in read_csv(path)]


def attach_generators(network, profiles, costs):
    """Add a generator for each profile."""
    for name, path in profiles.items():
        carrier = name.removeprefix(PREFIX)
        power = [row["power"] for row in read_csv(path)]
        network["generators"][carrier] = {"power": power, "cost": costs.get(carrier, 0)}


def attach_gas(network, costs):
    network["gas_cost"] = costs["gas"]


def attach_lines(network, path):
    """Add the lines, which have no header."""
    with open(path) as file:
        network["lines"] = [line.strip().split(",") for line in file]


if __name__ == "__main__":
    if "snakemake" not in globals():
        from _helpers import mock_snakemake

        snakemake = mock_snakemake("add_electricity")
    configure_logging(snakemake)

    network = {"generators": {}, "voll": snakemake.params.voll}
    costs = {row["technology"]: row["marginal_cost"] for row in read_csv(snakemake.input.costs)}
    profiles = {name: path for name, path in snakemake.input.items() if name.startswith(PREFIX)}
    attach_demand(network, snakemake.input.demand)
    attach_generators(network, profiles, costs)
    attach_gas(network, costs)
    attach_lines(network, snakemake.input.lines)
    logger.info("%d generators", len(network["generators"]))
    write_network(snakemake.output[0], network)

    with recorded(snakemake):
        pass
