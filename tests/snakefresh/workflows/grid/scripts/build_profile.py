"""What a technology can produce, hour by hour."""

from snakefresh import recorded

from _helpers import configure_logging, read_csv, write_csv


def availability(row):
    """Return the weather of an hour, of the only technology or of that named."""
    return row[technology] if technology in row else max(row.values())


if __name__ == "__main__":
    if "snakemake" not in globals():
        from _helpers import mock_snakemake

        snakemake = mock_snakemake("build_profile", technology="wind")
    configure_logging(snakemake)

    technology = getattr(snakemake.wildcards, "technology", "hydro")
    options = snakemake.params.technology
    size = options["capacity"] * options["efficiency"]
    rows = read_csv(snakemake.input.weather)
    made = [{"hour": row["hour"], "power": size * availability(row)} for row in rows]
    write_csv(snakemake.output.profile, made)

    with recorded(snakemake):
        pass
