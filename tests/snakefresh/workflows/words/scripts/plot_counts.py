"""Draw the most frequent words of a book as bars."""

from snakefresh import recorded

from count_words import load_counts

HEIGHT, SCALE = 20, 8


def draw_bar(number, word, percent):
    """Return one bar, with its word, as SVG."""
    y = HEIGHT * number
    return (
        f'<rect y="{y}" width="{SCALE * percent:.1f}" height="{HEIGHT - 4}" fill="#4477aa"/>'
        f'<text x="4" y="{y + 13}" font-size="12">{word}</text>'
    )


def draw(rows, bars):
    """Return a picture of the first rows as SVG."""
    drawn = [draw_bar(i, word, percent) for i, (word, _, percent) in enumerate(rows[:bars])]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="{HEIGHT * len(drawn)}">'
    return "\n".join([head, *drawn, "</svg>\n"])


if __name__ == "__main__":
    with recorded(snakemake):
        picture = draw(load_counts(snakemake.input[0]), snakemake.params.bars)
        with open(snakemake.output[0], "w") as file:
            file.write(picture)
