"""List all runs in results/, those of other configurations included.

The settings shown are those in which the runs differ.
"""

import argparse
import csv
import re
import signal
import sys
import textwrap
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from scratchnet.errors import escape, show_name
from scratchnet.evaluation.summary import INTERVAL, align_columns, format_markdown
from scratchnet.files import read_json
from scratchnet.nn.metrics import best_epoch
from scratchnet.planning import paths
from scratchnet.planning.config import sort_key
from scratchnet.planning.runs import describe_settings
from scratchnet.planning.stored_runs import (
    DAMAGE,
    differing_settings,
    last_epoch,
    read_stored_settings,
)
from scratchnet.planning.trained_runs import TRAIN_FIRST
from scratchnet.training.checkpoints import load_outcome

RUNS = Path(paths.RUN.format(run=""))
MEASURED = ("epochs", "validation_loss", "validation_accuracy", "test_accuracy", *INTERVAL)
WIDTH = 80  # of a terminal
# The titles of columns, which are short in a terminal, where they are not the names.
TITLES = {"validation_loss": "val_loss", "validation_accuracy": "val_acc", "seconds": "s"}
BEST_IS_LARGE = ("validation_accuracy", "test_accuracy", *INTERVAL)


def find_runs():
    """Return [(row, settings), ...] of the runs in results/, and the names of damaged ones."""
    found, damaged = [], []
    for folder in sorted(RUNS.glob("*/")):
        if epoch := last_epoch("", folder.name):
            try:
                found.append(read_run(folder.name, epoch))
            except DAMAGE:
                damaged.append(show_name(folder.name))
    return found, damaged


def read_run(run, epoch):
    """Return the row of a run, and its settings."""
    settings = read_stored_settings("", run, epoch)
    checkpoint = Path(paths.CHECKPOINT.format(run=run, epoch=epoch))
    metrics = Path(paths.METRICS.format(run=run, epoch=epoch))
    if metrics.exists():
        measured = read_json(metrics)
        measured |= zip(INTERVAL, measured["test_accuracy_interval"])
        note = "; ".join(measured.get("notes", []))
    else:
        measured, note = measure_training(checkpoint, settings)
    record = read_json(paths.TRAINING_RECORD.format(run=run, epoch=epoch))
    trained = datetime.fromtimestamp(checkpoint.stat().st_mtime)
    row = {"run": run} | {name: measured.get(name) for name in MEASURED}
    row |= {"trained": f"{trained:%Y-%m-%d %H:%M}", "seconds": record["seconds"], "note": note}
    return row, settings


def measure_training(checkpoint, settings):
    """Return what a checkpoint says of a run that was not evaluated, and a note about it."""
    history, why = load_outcome(checkpoint)
    epochs = len(history["loss"])
    measured = {"epochs": epochs}
    if epochs and history.get("val_loss"):
        shown = best_epoch(history) if settings["training.patience"] != "null" else epochs
        for name, values in (("loss", "val_loss"), ("accuracy", "val_accuracy")):
            measured[f"validation_{name}"] = history[values][shown - 1]
    return measured, f"diverged: {why}" if why else "not evaluated"


def sort_rows(rows, key):
    """Return the rows by a column: accuracies best first, all else smallest first, empty last."""
    with_value = [row for row in rows if row[key] is not None]
    with_value.sort(key=lambda row: sort_key(row[key]), reverse=key in BEST_IS_LARGE)
    return with_value + [row for row in rows if row[key] is None]


def find_column(name, columns):
    """Return the column called `name`: its title, or a setting without its section, will do."""
    for column in columns:
        if name in (column, TITLES.get(column), column.rpartition(".")[2]):
            return column
    sys.exit(f"SORT={escape(name)}: there is no such column; there are {', '.join(columns)}")


def format_measured(row):
    """Return what was measured, {title of the column: text}; titles are short, for a terminal."""
    numbers = {
        name: "" if row[name] is None else f"{row[name]:.4f}"
        for name in ("validation_loss", "validation_accuracy", "test_accuracy", *INTERVAL)
    }
    interval = f" ({'-'.join(numbers[name] for name in INTERVAL)})" if numbers[INTERVAL[0]] else ""
    return {
        "epochs": str(row["epochs"]),
        TITLES["validation_loss"]: numbers["validation_loss"],
        TITLES["validation_accuracy"]: numbers["validation_accuracy"],
        "test_accuracy": numbers["test_accuracy"] + interval,
        "trained": row["trained"],
        TITLES["seconds"]: f"{row['seconds']:.1f}",
    }


def format_text(rows, settings):
    """Yield the lines of a table for a terminal of 80 columns: two or more for each run.

    The first has the last part of its name, by which `make compare` finds it, and what was
    measured. The others have the first part, the settings, and the note.
    """
    table, others = [], []
    for row in rows:
        label, _, number = row["run"].rpartition("-")
        cells = format_measured(row) | {"trained": row["trained"][5:]}  # without the year
        table.append({"run": number} | cells)
        applying = ({key: row[key]} if row[key] is not None else {} for key in settings)
        others.append([label, *map(describe_settings, applying)])
    titles, *lines = align_columns([[*table[0]], *(each.values() for each in table)])
    yield titles
    for line, other, row in zip(lines, align_columns(others), rows):
        yield line
        yield from wrap(other)
        yield from wrap(row["note"])


def wrap(text):
    """Return the lines of `text` below the first one of a run; cells are two spaces apart."""
    cells = re.sub(r"(?<! ) (?! )", "\xa0", text)
    look = {"initial_indent": "  ", "subsequent_indent": "    ", "break_on_hyphens": False}
    return [line.replace("\xa0", " ") for line in textwrap.wrap(cells, WIDTH, **look)]


def tabulate(rows, settings):
    """Return the table as rows of text, the titles first, with a row for each run."""
    table = [
        {"run": row["run"]}
        | {key.rpartition(".")[2]: "" if row[key] is None else str(row[key]) for key in settings}
        | format_measured(row)
        | {"note": row["note"]}
        for row in rows
    ]
    return [[*table[0]], *(row.values() for row in table)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sort", default="trained", help="a column; that of a setting, too")
    parser.add_argument("--format", default="text", choices=("text", "csv", "markdown"))
    arguments = parser.parse_args()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as `| head` ends a program
    found, damaged = find_runs()
    if found:
        rows, settings = zip(*found)
        differing = differing_settings(settings)
        rows = [
            {"run": row["run"]} | {key: values[i] for key, values in differing.items()} | row
            for i, row in enumerate(rows)
        ]
        rows = sort_rows(rows, find_column(arguments.sort, rows[0]))
        if arguments.format == "csv":
            writer = csv.DictWriter(sys.stdout, [*rows[0]], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        else:
            is_text = arguments.format == "text"
            lines = (
                format_text(rows, differing)
                if is_text
                else format_markdown(tabulate(rows, differing))
            )
            print(*map(escape, lines), sep="\n", flush=True)
    if damaged:
        text = "Left out, as they cannot be read (`make check` says why):"
        print(text, ", ".join(damaged), file=sys.stderr)
    if not found:
        sys.exit(f"There are no trained runs in {RUNS}; {TRAIN_FIRST}.")


if __name__ == "__main__":
    main()
