"""Tables that put the runs of the present configuration side by side."""

import statistics
from pathlib import Path

from scratchnet.errors import ResultsError
from scratchnet.files import read_csv, read_json, write_csv

MEASURED = (
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
)
NUMBERS = (*MEASURED, "seconds")
SEED = "training.seed"


def summarize(rows, summary):
    """Write summary.csv with a line for each of `rows`.

    A row is a dict with run, folder, swept (settings by key), and the paths of the metrics and of
    the training record; or, for a run that failed, its error (text) instead of these.
    """
    lines = [_line(row) for row in rows]
    _mark_best(lines)
    write_csv(summary, list(lines[0]), [line.values() for line in lines])


def link_latest(rows, link):
    """Point `link`, a path, at the folder of the only run in `rows`; without a `link`, do nothing.

    Raises ResultsError where something else lies at its place.
    """
    if not link:
        return
    (row,), link = rows, Path(link)
    if link.exists() and not link.is_symlink():
        raise ResultsError(f"{link} is not a link: move it away, and give the command again")
    temporary = link.with_name(f".{link.name}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(Path(row["folder"]).parent.relative_to(link.parent))
    temporary.replace(link)


def compare_runs(rows, points, curves):
    """Write points.csv and curves.csv from `rows` like those of `summarize`, with a history each.

    points.csv has a line for each point of a sweep: runs that differ in nothing but their seed,
    with the mean and the sample standard deviation of what was measured. curves.csv has the
    histories of all runs below one another; what one of them lacks is empty.
    """
    groups = {}
    for row in rows:
        point = {key: str(value) for key, value in row["swept"].items() if key != SEED}
        groups.setdefault(tuple(point.items()), []).append(row)
    lines, epochs = [], []
    for point, runs in groups.items():
        line = dict(point) | {"runs": len(runs)}
        measured = [_line(run) for run in runs]
        for name in NUMBERS:
            values = [run[name] for run in measured if run[name] != ""]
            line[name] = statistics.mean(values) if values else ""
            line[f"{name}_sd"] = statistics.stdev(values) if len(values) > 1 else ""
        lines.append(line)
        text = ", ".join(f"{key.rsplit('.', 1)[-1]} {value}" for key, value in point)
        for run in runs:
            for epoch in read_csv(run["history"]):
                epochs.append({"point": text or "all runs", "run": run["run"], **epoch})
    _mark_best(lines)
    write_csv(points, list(lines[0]), [line.values() for line in lines])
    columns = list(dict.fromkeys(name for epoch in epochs for name in epoch))
    write_csv(curves, columns, ([epoch.get(name, "") for name in columns] for epoch in epochs))


def _line(row):
    line = {"run": row["run"], "folder": row["folder"], **row["swept"]}
    if "error" in row:
        metrics, record = {}, {}
    else:
        metrics, record = read_json(row["metrics"]), read_json(row["record"])
    for name in ("epochs", "best_epoch", *MEASURED):
        line[name] = metrics.get(name, "")
    line["seconds"] = record.get("seconds", "")
    line["best"] = ""
    line["error"] = row.get("error", "")
    return line


def _mark_best(lines):
    """Say "best" in the line with the highest validation accuracy, if there are some to compare.

    Where that is equal, the lower validation loss decides. The test set decides nothing.
    """
    measured = [line for line in lines if line["validation_accuracy"] != ""]
    for line in lines:
        line["best"] = ""
    if len(measured) > 1:
        best = max(
            measured, key=lambda line: (line["validation_accuracy"], -line["validation_loss"])
        )
        best["best"] = "best"


def format_summary(path, omit=("run", "error")):
    """A summary.csv or points.csv as a header and rows of text, to be read.

    Numbers are shortened, each is followed by its standard deviation if it has one, and columns
    that are empty throughout or named in `omit` are left out.
    """
    rows = read_csv(path)
    columns = [
        name
        for name in rows[0]
        if name not in omit and not name.endswith("_sd") and any(row[name] for row in rows)
    ]
    return [columns, *([_cell(row, name) for name in columns] for row in rows)]


def align_columns(table):
    """Return the lines of a table of text, with its columns aligned."""
    widths = [max(map(len, column)) for column in zip(*table)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table
    ]


def tabulate_costs(benchmarks):
    """What stages took, as a header and rows of text: their jobs, seconds and largest memory.

    `benchmarks` maps stages to the paths of their jobs' .tsv files, as Snakemake writes them.
    Stages without any are left out.
    """
    table = [["stage", "jobs", "seconds", "MB"]]
    for stage, paths in benchmarks.items():
        jobs = [row for path in paths for row in read_csv(path, delimiter="\t")]
        if jobs:
            seconds = sum(float(job["s"]) for job in jobs)
            # A job that ends before it is looked at has no memory: NA.
            memory = [float(job["max_rss"]) for job in jobs if job["max_rss"] not in ("NA", "-")]
            largest = f"{max(memory):.0f}" if memory else ""
            table.append([stage, str(len(jobs)), f"{seconds:.1f}", largest])
    return table


def _cell(row, name):
    if name not in NUMBERS or not row[name]:
        return row[name]
    digits = 1 if name == "seconds" else 4
    sd = row.get(f"{name}_sd")
    return f"{float(row[name]):.{digits}f}" + (f" ± {float(sd):.{digits}f}" if sd else "")
