"""Tables that compare the runs of the current configuration."""

import platform
import statistics
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from scratchnet.errors import ResultsError, shorten_list
from scratchnet.files import read_csv, read_json, write_rows

OF_CLASSES = ("test_balanced_accuracy", "test_macro_f1")  # means over the classes
MEASURED = (
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
    *OF_CLASSES,
)
NUMBERS = (*MEASURED, "seconds")
INTERVAL = ("test_accuracy_low", "test_accuracy_high")  # of 95 % confidence
SEED = "training.seed"
MAX_NAMED = 10  # classes in a line
BAR = r"\|"  # in a cell of a table in Markdown


def summarize(runs, summary):
    """Write the table `summary` (summary.csv) with a row for each run; return its rows.

    Each of `runs` is a dict with run (the name), folder, swept (settings by key), and the paths of
    the metrics and of the training record. A run that failed has an error (text) in place of the
    paths.
    """
    rows = [_summarize_run(run) for run in runs]
    _mark_best(rows)
    write_rows(summary, rows)
    return rows


def link_latest(rows, link):
    """Point the symbolic link `link` at the folder of the only run in `rows`, or of the best one.

    Without a best one, remove the link. Raises ResultsError if there is something other than a
    link.
    """
    chosen, link = [row for row in rows if row["best"] or len(rows) == 1], Path(link)
    if link.exists() and not link.is_symlink():
        raise ResultsError(f"{link} is not a link: move it away, and run the command again")
    if not chosen:
        link.unlink(missing_ok=True)
        return
    temporary = link.with_name(f".{link.name}-{uuid4().hex}")
    temporary.symlink_to(Path(chosen[0]["folder"]).parent.relative_to(link.parent))
    temporary.replace(link)


def compare_points(runs, points, curves):
    """Write the tables `points` (points.csv) and `curves` (curves.csv) of a sweep.

    `runs` are those of `summarize`, each with the path of its history as well. A point is a group
    of runs that differ only in their seed: its row has the mean and the sample standard deviation
    of each measurement. `curves` has the rows of all histories; a column that a history lacks is
    empty.
    """
    rows, epochs = [], []
    for point, members in group_by_point(runs).items():
        rows.append(dict(point) | _average(members))
        label = ", ".join(f"{key.rsplit('.', 1)[-1]} {value}" for key, value in point)
        for run in members:
            for epoch in read_csv(run["history"]):
                epochs.append({"point": label or "all runs", "run": run["run"], **epoch})
    _mark_best(rows)
    write_rows(points, rows)
    columns = dict.fromkeys(name for epoch in epochs for name in epoch)
    write_rows(curves, [dict.fromkeys(columns, "") | epoch for epoch in epochs])


def group_by_point(runs):
    """Return {point: `runs` that differ only in their seed}; a point is a tuple of (key, value)."""
    groups = {}
    for run in runs:
        point = {key: str(value) for key, value in run["swept"].items() if key != SEED}
        groups.setdefault(tuple(point.items()), []).append(run)
    return groups


def _summarize_run(run):
    """Return the row of a run in summary.csv; what was not measured is empty."""
    row = {"run": run["run"], "folder": run["folder"], **run["swept"]}
    if "error" in run:
        metrics, record = {}, {}
    else:
        metrics, record = (read_json(run[kind]) for kind in ("metrics", "record"))
    for name in ("epochs", "best_epoch", *MEASURED):
        row[name] = metrics.get(name, "")
        if name == "test_accuracy":
            row |= zip(INTERVAL, metrics.get("test_accuracy_interval", ["", ""]))
    row["seconds"] = record.get("seconds", "")
    row["best"] = ""
    row["note"] = "; ".join(metrics.get("notes", []))
    row["error"] = run.get("error", "")
    return row


def _average(runs):
    """Return the number of `runs`, and the mean and standard deviation of each measurement."""
    metrics = [read_json(run["metrics"]) for run in runs]
    averages = {"runs": len(runs)}
    for name in MEASURED:
        values = [measured[name] for measured in metrics if name in measured]
        averages[name] = statistics.mean(values) if values else ""
        averages[f"{name}_sd"] = statistics.stdev(values) if len(values) > 1 else ""
    return averages


def _mark_best(rows):
    """Write "best" into the row with the lowest validation loss, if at least two have one.

    The test set is never used to choose.
    """
    validated = [row for row in rows if row["validation_loss"] != ""]
    for row in rows:
        row["best"] = ""
    if len(validated) > 1:
        min(validated, key=lambda row: row["validation_loss"])["best"] = "best"


def describe_other_environments(records):
    """Return a line about training records made with another NumPy or machine, or "".

    `records` are paths of the records that `train` writes.
    """
    now = {"numpy": version("numpy"), "machine": f"{sys.platform} {platform.machine()}"}
    others = Counter()
    for record in records:
        recorded = read_json(record)["environment"]
        if any(recorded[name] != value for name, value in now.items()):
            others[f"numpy {recorded['numpy']}, {recorded['machine']}"] += 1
    return "; ".join(f"{n} trained with {environment}" for environment, n in others.items())


def are_imbalanced(metrics):
    """Return whether, in any of the files `metrics`, a class has more than twice the test images
    of another. Then the accuracy says little about the rare classes.
    """
    counts = ([row["images"] for row in read_json(path)["per_class"]] for path in metrics)
    return any(max(n) > 2 * min(n) for n in counts)


def describe_missing_classes(metrics):
    """Return lines about classes without test images, and about those that are never predicted.

    `metrics` are the paths of the metrics of runs. Where these are several, the number of runs
    follows the name of a class that only some never predict.
    """
    untested, unpredicted = {}, Counter()
    for path in metrics:
        for row in read_json(path)["per_class"]:
            if not row["images"]:
                untested[row["class"]] = None
            elif row["precision"] is None:
                unpredicted[row["class"]] += 1
    some = {name: f" (by {n} of {len(metrics)} runs)" for name, n in unpredicted.items()}
    never = [name + some[name] * (n < len(metrics)) for name, n in unpredicted.items()]
    lines = {"classes without test images": [*untested], "classes never predicted": never}
    return [
        f"{what}: {', '.join(shorten_list(names, MAX_NAMED))}"
        for what, names in lines.items()
        if names
    ]


def format_summary(path, omit=("run", "note", "error")):
    """Return a summary.csv or points.csv as rows of text for display, the header first.

    Numbers are rounded and followed by their standard deviation or confidence interval, if there is
    one. Columns that are empty or listed in `omit` are left out.
    """
    rows, omit = read_csv(path), {*omit, *INTERVAL}
    columns = [
        name
        for name in rows[0]
        if name not in omit and not name.endswith("_sd") and any(row[name] for row in rows)
    ]
    return [columns, *([_format_value(row, name) for name in columns] for row in rows)]


def _format_value(row, name):
    if name not in NUMBERS or not row[name]:
        return row[name]
    digits = 1 if name == "seconds" else 4
    text = f"{float(row[name]):.{digits}f}"
    if sd := row.get(f"{name}_sd"):
        text += f" ± {float(sd):.{digits}f}"
    if low := row.get(f"{name}_low"):
        text += f" ({float(low):.4f}-{float(row[f'{name}_high']):.4f})"
    return text


def align_columns(table):
    """Return the lines of a table of text, with its columns aligned."""
    widths = [max(map(len, column)) for column in zip(*table)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table
    ]


def format_markdown(table):
    """Return the lines of a table of text in Markdown; its first row has the titles."""
    titles, *rows = table
    return [
        f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"
        for cells in (titles, ["---"] * len(titles), *rows)
    ]


def tabulate_costs(benchmarks):
    """Return the cost of each stage as rows of text: jobs, total seconds and peak memory (MB).

    `benchmarks` maps each stage to the paths of the .tsv files that Snakemake wrote for its jobs.
    Stages without jobs are left out.
    """
    table = [["stage", "jobs", "seconds", "MB"]]
    for stage, paths in benchmarks.items():
        jobs = [row for path in paths for row in read_csv(path, delimiter="\t")]
        if jobs:
            seconds = sum(float(job["s"]) for job in jobs)
            # Snakemake records no memory (NA) for a job that ends before the first measurement.
            memory = [float(job["max_rss"]) for job in jobs if job["max_rss"] not in ("NA", "-")]
            largest = f"{max(memory):.0f}" if memory else ""
            table.append([stage, str(len(jobs)), f"{seconds:.1f}", largest])
    return table
