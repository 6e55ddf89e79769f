"""Pictures of the tables of the summary."""

from snakefresh import recorded

from pathlib import Path

from _helpers import configure_logging, read_csv


def bar(name, size, color):
    """Return one bar as SVG."""
    return f'<rect width="{size:.1f}" height="12" fill="{color}"><title>{name}</title></rect>'


def plot(rows, plotting):
    """Return bars of all values of a table as SVG."""
    bars = []
    for row in rows:
        opts = row.pop("opts")
        bars += [
            bar(f"{opts} {carrier}", value, plotting["colors"].get(carrier, "gray"))
            for carrier, value in row.items()
        ]
    return "<svg>\n" + "\n".join(bars) + "\n</svg>\n"


if __name__ == "__main__":
    if "snakemake" not in globals():
        from _helpers import mock_snakemake

        snakemake = mock_snakemake("plot_summary")
    configure_logging(snakemake)

    for name in ("costs", "energy"):
        picture = plot(read_csv(snakemake.input[name]), snakemake.params.plotting)
        Path(snakemake.output[name]).write_text(picture)

    with recorded(snakemake):
        pass
