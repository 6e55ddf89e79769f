"""What was measured, as tables to read and as a picture."""

import os
import statistics
from datetime import date

from matplotlib import style
from matplotlib.figure import Figure

from scratchnet.evaluation.figures import COLOURS, LOOK

TITLES = {
    "softmax": "(a) One epoch of softmax regression, batches of 200",
    "mlp": "(b) One epoch of 784-128-10 with ReLU, batches of 128",
    "clean": "(c) A clean run: from the raw files to the pictures",
    "sweep": "(d) A sweep of 32 runs of softmax regression, 20 epochs each",
    "idle": "(e) Nothing to do",
    "planning": "(f) Planning runs of which none is done",
    "lenet": "(g) One epoch of LeNet-5 with ReLU, batches of 100",
    "convnet": "(h) One epoch of Keras's mnist_convnet without dropout, batches of 128",
}
NO_PEERS = ("scratchnet", "limit")


def tables_of(measured):
    """{title: {name: seconds of each round}} of all works that compare seconds."""
    tables = {}
    for work, title in TITLES.items():
        if work in ("softmax", "mlp", "lenet", "convnet"):
            for cores, seconds in measured.get(work, {}).items():
                tables[f"{title}, {cores} each"] = seconds
        elif work in measured:
            tables[title] = measured[work]
    return tables


def targets_of(measured):
    """A row for each target: work, what is compared, what was asked, and what was measured.

    That is a ratio of medians where there is something to compare with.
    """
    rows = []

    def compare(work, what, ours, theirs, asked):
        rows.append((work, what, asked, statistics.median(ours) / statistics.median(theirs)))

    for work, asked in (("softmax", 0.8), ("mlp", 1.0)):
        if work in measured:
            seconds = measured[work]["one core"]
            peer = fastest(seconds)
            title = TITLES[work]
            compare(title, f"the fastest peer, {peer}", seconds["scratchnet"], seconds[peer], asked)
            if work == "softmax":
                compare(title, "the limit", seconds["scratchnet"], seconds["limit"], 2.5)
    for work, peer, asked in (
        ("lenet", "keras", 1.0),
        ("lenet", "pytorch", 1.0),
        ("convnet", "keras", 1.3),
    ):
        if work in measured:
            seconds = measured[work]["one core"]
            compare(TITLES[work], peer, seconds["scratchnet"], seconds[peer], asked)
    if "lenet" in measured:
        seconds = measured["lenet"]["one core"]
        what = "without augmentation"
        compare(TITLES["lenet"], what, seconds["augmented"], seconds["scratchnet"], 1.33)
    if "clean" in measured:
        for peer, asked in (("pytorch", 0.85), ("keras", 0.35)):
            seconds = measured["clean"]
            what = f"a script in {peer}"
            compare(TITLES["clean"], what, seconds["scratchnet"], seconds[peer], asked)
    if "sweep" in measured:
        seconds, peer = measured["sweep"], fastest(measured["sweep"])
        what = f"the fastest peer, {peer}"
        compare(TITLES["sweep"], what, seconds["scratchnet"], seconds[peer], 0.25)
    if "idle" in measured:
        seconds = measured["idle"]
        empty = "an empty Snakefile"
        compare(TITLES["idle"], empty, seconds["scratchnet"], seconds[empty], 1.4)
    if "planning" in measured:
        seconds = statistics.median(measured["planning"]["1000 runs"])
        rows.append((TITLES["planning"], "seconds for 1,000 runs", 15, seconds))
    if "memory" in measured:
        peak = measured["memory"]["train"]["1 x"]["peak"]
        rows.append(("(i) Training", "MiB at its peak", 400, peak))
    return rows


def fastest(seconds):
    peers = [name for name in seconds if name not in NO_PEERS]
    return min(peers, key=lambda name: statistics.median(seconds[name]))


def write(measured, page, picture):
    """Write the tables (.md) and the picture (.png) of what bench.py measured."""
    lines = [f"# Side by side, {date.today()}", ""]
    lines += [f"{os.cpu_count()} cores. Seconds are medians, with the smallest and the largest."]
    lines += ["", "| work | against | at most | measured | |", "|---|---|---|---|---|"]
    for work, what, asked, ratio in targets_of(measured):
        verdict = "reached" if ratio <= asked else "missed"
        lines += [f"| {work} | {what} | {asked} | {ratio:.3g} | {verdict} |"]
    for title, seconds in tables_of(measured).items():
        lines += ["", f"## {title}", "", "| | seconds | from | to | scratchnet takes |"]
        lines += ["|---|---|---|---|---|"]
        ours = seconds.get("scratchnet")
        for name, values in sorted(seconds.items(), key=lambda item: statistics.median(item[1])):
            median = statistics.median(values)
            ratio = f"{statistics.median(ours) / median:.2f} x" if ours else ""
            lines += [
                f"| {name} | {median:.3f} | {min(values):.3f} | {max(values):.3f} | {ratio} |"
            ]
    if "memory" in measured:
        lines += [
            "",
            "## (i) Memory (MiB) and seconds of each stage, with MNIST and ten times as much",
        ]
        lines += ["", "| stage | own | own, 10 x | peak | peak, 10 x | seconds | seconds, 10 x |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for stage, cases in sorted(measured["memory"].items()):
            cells = [
                f"{cases[case][kind]:.{digits}f}"
                for kind, digits in (("own", 0), ("peak", 0), ("seconds", 1))
                for case in ("1 x", "10 x")
            ]
            lines += [f"| {stage} | {' | '.join(cells)} |"]
    page.write_text("\n".join(lines) + "\n")
    draw({t: s for t, s in tables_of(measured).items() if "scratchnet" in s}, picture)


def draw(tables, picture):
    """Draw bars of the medians, with the range of the rounds; ours stand out."""
    colours = COLOURS["dark_background"]
    with style.context(["dark_background", LOOK]):
        heights = [len(seconds) + 1.6 for seconds in tables.values()]
        figure = Figure(figsize=(9, 0.28 * sum(heights)), layout="constrained")
        grid = figure.subplots(len(tables), 1, height_ratios=heights, squeeze=False)[:, 0]
        for axes, (title, seconds) in zip(grid, tables.items()):
            names = sorted(seconds, key=lambda name: statistics.median(seconds[name]), reverse=True)
            medians = [statistics.median(seconds[name]) for name in names]
            spread = [
                [m - min(seconds[name]) for name, m in zip(names, medians)],
                [max(seconds[name]) - m for name, m in zip(names, medians)],
            ]
            fills = [colours[1] if name == "scratchnet" else colours[0] for name in names]
            labels = [name.replace("_", " ") for name in names]
            bars = axes.barh(labels, medians, xerr=spread, color=fills, ecolor="0.6")
            axes.bar_label(bars, fmt="%.3g s", padding=6)
            axes.set_title(title, loc="left")
            axes.margins(x=0.12)
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(picture)
