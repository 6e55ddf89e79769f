"""A picture of the dispatch of a network."""

from snakefresh import recorded

from pathlib import Path

from _helpers import configure_logging, read_network
from plot_summary import bar


def draw(network, plotting):
    """Return bars of all steps and carriers as SVG."""
    bars = [
        bar(f"{step} {carrier}", power, plotting["colors"].get(carrier, "gray"))
        for step, dispatch in enumerate(network["dispatch"])
        for carrier, power in dispatch.items()
    ]
    return f'<svg width="{plotting["width"]}">\n' + "\n".join(bars) + "\n</svg>\n"


if __name__ == "__main__":
    if "snakemake" not in globals():
        from _helpers import mock_snakemake

        snakemake = mock_snakemake("plot_network", opts="base")
    configure_logging(snakemake)

    network = read_network(snakemake.input.network)
    Path(snakemake.output.map).write_text(draw(network, snakemake.params.plotting))

    with recorded(snakemake):
        pass
