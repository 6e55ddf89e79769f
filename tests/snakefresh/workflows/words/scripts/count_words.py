"""Count the words of a book: a table of words, how often they occur, and their share."""

from snakefresh import recorded

import csv
from collections import Counter

PUNCTUATION = ".,;:!?()'\"-"
HEADER = ("word", "count", "percent")
ENCODING = "utf-8"


def clean(word):
    """Return a word as it is counted."""
    return word.strip(PUNCTUATION).lower()


def update_counts(counts, line, shortest):
    """Add the words of a line."""
    for word in map(clean, line.split()):
        if len(word) >= shortest:
            counts[word] += 1


def count_lines(lines, shortest):
    """Return [(word, count, percent), ...], the most frequent words first."""
    counts = Counter()
    for line in lines:
        update_counts(counts, line, shortest)
    total = sum(counts.values())
    rows = [(word, count, 100 * count / total) for word, count in counts.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def save_counts(path, rows):
    """Write a table of counts."""
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEADER)
        table.writerows((word, count, f"{percent:.3f}") for word, count, percent in rows)


def load_counts(path):
    """Read a table of counts, for the other scripts."""
    with open(path, newline="") as file:
        return [
            (word, int(count), float(percent)) for word, count, percent in [*csv.reader(file)][1:]
        ]


def print_counts(path):
    """Show a table, as an exercise asks for."""
    for word, count, _ in load_counts(path):
        print(f"{count:6} {word}")


def count_book(source, target, shortest):
    """Write the table of a book."""
    with open(source, encoding="utf-8") as book:
        save_counts(target, count_lines(book, shortest))


if __name__ == "__main__":
    with recorded(snakemake):
        count_book(snakemake.input[0], snakemake.output[0], snakemake.params.shortest)
