"""What was measured, as tables to read and as a picture."""

import os
import statistics
from datetime import date

from matplotlib import style
from matplotlib.figure import Figure

from ratios import RATIOS, TWO
from scratchnet.evaluation.figures import COLOURS, LOOK

TITLES = {
    "softmax": "(a) One epoch of softmax regression, batches of 200",
    "mlp": "(b) One epoch of 784-128-10 with ReLU, batches of 128",
    "mlp_800": "(c) One epoch of 784-800-10 with ReLU, batches of 100",
    "lenet5": "(d) One epoch of LeNet-5 with ReLU, batches of 100",
    "lenet5_normalized": "(e) One epoch of LeNet-5 with batch normalisation, batches of 100",
    "keras_convnet": "(f) 20,000 images of Keras's mnist_convnet, batches of 128",
    "clean": "(g) A clean run: from the raw files to the plots",
    "sweep": "(h) A sweep of 32 runs of softmax regression, 20 epochs each",
    "idle": "(i) Nothing to do",
    "edits": "(j) After edits of the code of preprocessing",
    "planning": "(k) Planning runs of which none is done",
    "memory": "(l) Memory (MiB) and seconds of each stage, with MNIST and ten times as much",
}


def tables_of(measured):
    """{title: {name: seconds of each round}} of all works that compare seconds."""
    tables = {}
    for work, title in TITLES.items():
        if work == "memory" or work not in measured:
            continue
        on_two = {n.removesuffix(TWO): s for n, s in measured[work].items() if n.endswith(TWO)}
        on_one = {n: s for n, s in measured[work].items() if not n.endswith(TWO)}
        tables |= {title + ", one core": on_one, title + TWO: on_two} if on_two else {title: on_one}
    return tables


def targets_of(measured):
    """A row for each ratio: work, what is compared, the target or None, and what was measured."""
    rows = []
    for ratio in RATIOS:
        seconds = measured.get(ratio.work, {})
        if ratio.ours in seconds and any(n in seconds for n in ratio.theirs):
            what = f"{ratio.ours} / {ratio.fastest(seconds)}"
            rows.append((TITLES[ratio.work], what, ratio.target, ratio.of(seconds)))
    if "planning" in measured:
        seconds = statistics.median(measured["planning"]["1000 runs"])
        rows.append((TITLES["planning"], "seconds for 1,000 runs", 9, seconds))
    if "memory" in measured:
        peak = measured["memory"]["train"]["1 x"]["peak"]
        rows.append((TITLES["memory"], "MiB of training at its peak", 300, peak))
    return rows


def write(measured, page, picture):
    """Write the tables (.md) and the picture (.png) of what bench.py measured."""
    lines = [f"# Side by side, {date.today()}", ""]
    lines += [f"{os.cpu_count()} cores. Seconds are medians, with the smallest and the largest."]
    lines += ["", "| work | what | at most | measured | |", "|---|---|---|---|---|"]
    for work, what, asked, ratio in targets_of(measured):
        verdict = "" if asked is None else "reached" if ratio <= asked else "missed"
        lines += [f"| {work} | {what} | {asked or ''} | {ratio:.3g} | {verdict} |"]
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
        lines += ["", f"## {TITLES['memory']}"]
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
    if tables := tables_of(measured):
        draw(tables, picture)


def draw(tables, picture):
    """Draw bars of the medians, with the range of the rounds; ours stand out."""
    colours = COLOURS["default"]
    with style.context(["default", LOOK]):
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
            bars = axes.barh(labels, medians, xerr=spread, color=fills, ecolor="0.4")
            axes.bar_label(bars, fmt="%.3g s", padding=6)
            axes.set_title(title, loc="left")
            axes.margins(x=0.12)
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(picture)
