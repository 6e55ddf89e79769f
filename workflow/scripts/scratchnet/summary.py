"""One row for each run of the present configuration."""

from scratchnet.files import read_csv, read_json, write_csv

MEASURED = (
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
)


def summarize(rows, summary):
    """Write summary.csv with a line for each of `rows`: dicts with run, folder, swept (settings by
    key), and the paths of the metrics and of the training record.
    """
    header = ["run", "folder", *rows[0]["swept"], "epochs", *MEASURED, "seconds"]
    lines = []
    for row in rows:
        metrics, record = read_json(row["metrics"]), read_json(row["record"])
        measured = [metrics.get(name, "") for name in MEASURED]
        lines.append(
            [
                row["run"],
                row["folder"],
                *row["swept"].values(),
                metrics["epochs"],
                *measured,
                record["seconds"],
            ]
        )
    write_csv(summary, header, lines)


def as_table(summary):
    """A summary.csv as lines of aligned text, numbers shortened and empty columns left out."""
    rows = read_csv(summary)
    columns = [name for name in rows[0] if name != "run" and any(row[name] for row in rows)]
    short = {*MEASURED, "seconds"}
    cells = [columns]
    for row in rows:
        cells.append([_shorten(row[name]) if name in short else row[name] for name in columns])
    widths = [max(map(len, column)) for column in zip(*cells)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells
    ]


def _shorten(number):
    return f"{float(number):.4f}" if number else ""
