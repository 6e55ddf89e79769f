"""Tables of what the networks cost and produce."""

from snakefresh import recorded

from pathlib import Path

from _helpers import HOURS_PER_STEP, configure_logging, read_network, write_csv

DIGITS = 3


def calculate_energy(network):
    """Return {carrier: energy} over all steps."""
    energy = {}
    for step in network["dispatch"]:
        for carrier, power in step.items():
            energy[carrier] = energy.get(carrier, 0) + HOURS_PER_STEP * power
    return energy


def calculate_costs(network):
    """Return {carrier: cost}."""
    prices = {carrier: one["cost"] for carrier, one in network["generators"].items()}
    prices |= {"gas": network["gas_cost"], "lost": network["voll"]}
    return {carrier: prices[carrier] * e for carrier, e in calculate_energy(network).items()}


def make_table(networks, calculate):
    """Return a row for each network."""
    rows = []
    for path in networks:
        values = calculate(read_network(path))
        rows.append({"opts": Path(path).stem, **{k: round(v, DIGITS) for k, v in values.items()}})
    return rows


if __name__ == "__main__":
    if "snakemake" not in globals():
        from _helpers import mock_snakemake

        snakemake = mock_snakemake("make_summary")
    configure_logging(snakemake)

    write_csv(snakemake.output.costs, make_table(snakemake.input.networks, calculate_costs))
    write_csv(snakemake.output.energy, make_table(snakemake.input.networks, calculate_energy))

    with recorded(snakemake):
        pass
