"""Show the losses and accuracies of the trainings that are running, as they come.

All is read from the logs of the jobs, so it may be another machine that trains. In a terminal, the
table is drawn again every two seconds, until Ctrl-C; elsewhere it is printed once. The same is in
a page, which a browser loads again by itself.
"""

import json
import re
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from html import escape as escape_html
from pathlib import Path
from shutil import get_terminal_size

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from scratchnet.errors import escape, shorten_list
from scratchnet.evaluation.summary import align_columns
from scratchnet.files import write_text
from scratchnet.lock import RUN
from scratchnet.planning import paths

SECONDS = 2  # between two looks
SILENCE = 60  # seconds, or five epochs, after which it is said that nothing came
PAGE = Path(paths.RESULTS, "live.html")
LOGS = paths.log("train", paths.RUN).removesuffix(".log")  # a folder for each run
EPOCH = re.compile(r"\S+ \S+ epoch (\d+)/(\d+)  (.+)  ([\d.]+) s")
SETTINGS = re.compile(r"\S+ \S+ settings (\{.*\})")
HEADER = ["run", "epoch", "loss", "acc.", "val loss", "val acc.", "left", ""]
METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")
WIDTH_OF_NUMBERS = 52  # columns of the table without the labels and the bars
BARS = "▁▂▃▄▅▆▇█"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#888888")
DASHES = ("", "6 3", "2 2")  # with the colours, looks that can be told apart


@dataclass
class Training:
    """What the logs say of a run: its metrics by epoch, and how it stands.

    `state` is running, done, or what went wrong; `changed` is when its log was last written.
    """

    run: str
    settings: dict
    metrics: dict
    epochs: int
    seconds: float
    state: str
    changed: float

    def row(self, label, now):
        """Return its row of the table, as text."""
        if not self.metrics:
            return [label, f"0/{self.epochs or '?'}", "", "", "", "", self._left(now), ""]
        epoch, last = [*self.metrics.items()][-1]
        losses = [metrics["loss"] for metrics in self.metrics.values()]
        numbers = [f"{last[name]:.4f}" if name in last else "" for name in METRICS]
        return [label, f"{epoch}/{self.epochs}", *numbers, self._left(now), draw_bars(losses)]

    def _left(self, now):
        """Return the time that is left, or what is to be said instead."""
        silent = now - self.changed
        if self.state != "running":
            return self.state
        if silent > max(SILENCE, 5 * self.seconds):
            return f"no news for {format_seconds(silent)}"
        if not self.metrics:
            return "?"
        epochs = self.epochs - max(self.metrics)
        return format_seconds(max(0, epochs * self.seconds - silent))


def format_seconds(seconds):
    """Return a time as 0:05, 1:02:03."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def draw_bars(values, width=12):
    """Return the last `width` values as bars of text, from the lowest to the highest of them."""
    shown = values[-width:]
    low, high = min(shown), max(shown)
    span = (high - low) or 1
    return "".join(BARS[round((value - low) / span * (len(BARS) - 1))] for value in shown)


def find_trainings():
    """Return the Trainings of the present run of Snakemake, or of the last one, by run.

    Those that are running come first, and then those that ended last.
    """
    lock = Path(paths.RESULTS, RUN)  # touched when a run begins
    started = lock.stat().st_mtime if lock.exists() else 0
    found = {}
    for folder in sorted(Path().glob(LOGS.format(run="*"))):
        with suppress(OSError, ValueError):  # a job is just replacing its log
            logs = sorted(folder.glob("epoch-????.log"), key=lambda log: log.stat().st_mtime)
            if logs and logs[-1].stat().st_mtime >= started:
                found[folder.name] = read_training(folder.name, logs)
    order = sorted(found, key=lambda run: (found[run].state != "running", -found[run].changed))
    return {run: found[run] for run in order}


def read_training(run, logs):
    """Return the Training that the `logs` of a run, the last one last, are about."""
    settings, metrics, epochs, seconds, last = {}, {}, 0, [], ""
    for log in logs:
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            last = line
            if found := SETTINGS.fullmatch(line):
                settings = json.loads(found[1])
            elif found := EPOCH.fullmatch(line):
                epoch, epochs = int(found[1]), int(found[2])
                pairs = (part.split(" ") for part in found[3].split("  "))
                metrics.pop(epoch, None)
                metrics[epoch] = {name: float(value) for name, value in pairs}
                seconds.append(float(found[4]))
    recent = seconds[-5:]
    state = "running"
    if Path(paths.CHECKPOINT.format(run=run, epoch=logs[-1].stem[-4:])).exists():
        state = "done"
    elif "Error: " in last:
        state = "failed"
    rate = sum(recent) / len(recent) if recent else 0
    changed = logs[-1].stat().st_mtime
    return Training(run, settings, metrics, epochs, rate, state, changed)


def choose_labels(trainings):
    """Return a label for each of the Trainings, by run: the settings that differ between them.

    Where that is nothing, or the same for several, it is the name of the run.
    """
    values = {}
    for training in trainings.values():
        for key, value in training.settings.items():
            values.setdefault(key, set()).add(json.dumps(value))
    differing = [key for key in values if len(values[key]) > 1]
    labels = {
        run: ", ".join(
            f"{key.rpartition('.')[2]} {training.settings[key]}"
            for key in differing
            if key in training.settings
        )
        for run, training in trainings.items()
    }
    counts = Counter(labels.values())
    return {run: label if counts[label] == 1 and label else run for run, label in labels.items()}


def make_table(trainings, width=1000):
    """Return the table of the Trainings as rows of text, without empty columns.

    Labels that are too long for a terminal of this `width` lose their beginning.
    """
    labels, now, n = choose_labels(trainings), time.time(), max(12, width - WIDTH_OF_NUMBERS)
    shown = {run: text if len(text) <= n else "…" + text[1 - n :] for run, text in labels.items()}
    rows = [training.row(shown[run], now) for run, training in trainings.items()]
    kept = [i for i in range(len(HEADER)) if any(row[i] for row in rows)]
    return [[row[i] for i in kept] for row in [HEADER, *rows]]


def draw_curves(trainings, metric, width=640, height=280):
    """Return a metric of the Trainings by epoch as SVG: solid in training, thin on validation."""
    curves = []
    for i, training in enumerate(trainings.values()):
        for name, stroke in ((metric, 2), (f"val_{metric}", 1)):
            points = [(e, row[name]) for e, row in training.metrics.items() if name in row]
            dash = DASHES[i // len(COLOURS) % len(DASHES)]
            curves.append((points, COLOURS[i % len(COLOURS)], stroke, dash))
    every = [point for points, *_ in curves for point in points]
    if not every:
        return ""
    last = max(2, *(epoch for epoch, _ in every))
    low, high = min(value for _, value in every), max(value for _, value in every)
    span = (high - low) or 1

    def place(epoch, value):
        x = 60 + (width - 80) * (epoch - 1) / (last - 1)
        return f"{x:.1f},{20 + (height - 50) * (high - value) / span:.1f}"

    lines = "".join(
        f'<polyline points="{" ".join(place(*point) for point in points)}" fill="none" '
        f'stroke="{colour}" stroke-width="{stroke}" stroke-dasharray="{dash}"/>'
        for points, colour, stroke, dash in curves
    )
    texts = "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
        for x, y, anchor, text in (
            (55, 24, "end", f"{high:.4g}"),
            (55, height - 26, "end", f"{low:.4g}"),
            (60, height - 10, "start", "epoch 1"),
            (width - 20, height - 10, "end", last),
            (width / 2, 14, "middle", metric),
        )
    )
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" font-size="12" fill="currentColor" '
        f'role="img" aria-label="{metric} by epoch">'
        f'<path d="M60 20V{height - 30}H{width - 20}" fill="none" stroke="currentColor"/>'
        f"{lines}{texts}</svg>"
    )


def make_page(table, trainings, is_live):
    """Return the page: the table and two plots. While it is live, it loads itself again."""
    header, *rows = table
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(rows))]
    body = "".join(
        f'<tr><td style="color:{colour}">━</td>'
        + "".join(f"<td>{escape_html(escape(cell))}</td>" for cell in row)
        for colour, row in zip(colours, rows)
    )
    refresh = f'<meta http-equiv="refresh" content="{SECONDS}">' if is_live else ""
    heads = "".join(f"<th>{cell}" for cell in header)
    plots = "".join(draw_curves(trainings, metric) for metric in ("loss", "accuracy"))
    end = "" if is_live else "This is no longer updated. "
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8">{refresh}'
        '<meta name="viewport" content="width=device-width"><title>Trainings</title>'
        "<style>:root{color-scheme:light dark}body{font:15px sans-serif;margin:1em}"
        "td,th{padding:0.1em 0.8em;text-align:left;font-variant-numeric:tabular-nums;"
        "white-space:nowrap}svg{max-width:100%;height:auto}</style>"
        f"<h1>Trainings</h1>{plots}<p>Thick: training; thin: validation.</p>"
        f"<table><tr><th>{heads}{body}</table><p>{end}{time.ctime()}</p></html>\n"
    )


def look(is_live, width=1000):
    """Write the page; return the lines of the table."""
    trainings = find_trainings()
    if Path(paths.RESULTS).is_dir():
        write_text(PAGE, make_page(make_table(trainings), trainings, is_live))
    if not trainings:
        return ["No training has begun."]
    return align_columns(make_table(trainings, width))


def main():
    if not sys.stdout.isatty():
        print("\n".join(map(escape, look(is_live=False))))
        return
    print(f"The same as a page: {PAGE}. Ctrl-C ends this, and no training.")
    n_lines = 0
    try:
        while True:
            columns, rows = get_terminal_size()
            lines = [escape(line)[: columns - 1] for line in look(True, columns)]
            lines = shorten_list(lines, max(rows - 3, 2))
            print((f"\x1b[{n_lines}F" if n_lines else "") + "\x1b[J" + "\n".join(lines), flush=True)
            n_lines = len(lines)
            time.sleep(SECONDS)
    except KeyboardInterrupt:
        look(is_live=False)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(escape(str(error)))
