"""Covers the demand of each step by the cheapest generators, and the rest by gas."""

from snakefresh import recorded

from _helpers import (
    HOURS_PER_STEP,
    configure_logging,
    read_network,
    update_config_from_wildcards,
    write_network,
)


def dispatch(network, step, gas_left):
    """Return {carrier: power} of one step; "lost" is what is not covered."""
    rest, used = network["demand"][step], {}
    for carrier, one in sorted(network["generators"].items(), key=lambda item: item[1]["cost"]):
        used[carrier] = min(rest, one["power"][step])
        rest -= used[carrier]
    used["gas"] = min(rest, gas_left / HOURS_PER_STEP)
    return used | {"lost": rest - used["gas"]}


def solve(network, solving, log):
    """Return the network with the dispatch of all steps."""
    gas_left, found = solving["gas_limit"], []
    for step in range(len(network["demand"])):
        found.append(dispatch(network, step, gas_left))
        gas_left -= HOURS_PER_STEP * found[-1]["gas"]
        print(f"step {step}: {gas_left:.1f} left", file=log)
    return network | {"dispatch": found}


if __name__ == "__main__":
    if "snakemake" not in globals():
        from _helpers import mock_snakemake

        snakemake = mock_snakemake("solve_network", opts="base")
    configure_logging(snakemake)

    config = update_config_from_wildcards(snakemake.config, snakemake.wildcards)
    network = read_network(snakemake.input.network)
    with open(snakemake.log.solver, "w") as log:
        print(f"{snakemake.threads} threads", file=log)
        network = solve(network, config["solving"], log)
    write_network(snakemake.output.network, network)

    with recorded(snakemake):
        pass
