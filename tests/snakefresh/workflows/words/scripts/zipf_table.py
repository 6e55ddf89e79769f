"""Test Zipf's law: the first word of a book should occur twice as often as the second."""

from snakefresh import recorded

from pathlib import Path

from count_words import load_counts


def first_two(rows):
    """Return the counts of the two most frequent words."""
    return rows[0][1], rows[1][1]


def describe(path):
    """Return a row of the table, for the counts of a book."""
    first, second = first_two(load_counts(path))
    return f"{Path(path).stem:12}{first:6}{second:6}{first / second:8.2f}"


if __name__ == "__main__":
    with recorded(snakemake):
        rows = [describe(path) for path in snakemake.input]
        title = f"{'book':12}{'first':>6}{'second':>6}{'ratio':>8}"
        Path(snakemake.output[0]).write_text("\n".join([title, *rows, ""]))
