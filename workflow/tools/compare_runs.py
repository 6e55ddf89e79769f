"""Compare two runs in results/: settings, metrics, and what they answer to the same images.

A run is named by any part of its name that no other run has, at its last epoch or with /epoch-NNNN;
or by "latest"; or by a revision of git, for the run that the config.yaml of that revision asks for.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from scratchnet.errors import ConfigError, escape, shorten_list, show_name
from scratchnet.evaluation.comparison import describe_difference, pair_predictions, tabulate_metrics
from scratchnet.evaluation.summary import align_columns, format_markdown
from scratchnet.files import read_csv, read_json, write_rows, write_text
from scratchnet.pixel_range import find_pixel_range, restore_pixels
from scratchnet.planning import paths
from scratchnet.planning.config import resolve_runs
from scratchnet.planning.runs import Runs
from scratchnet.planning.stored_runs import DAMAGE, differing_settings, read_stored_settings
from scratchnet.planning.trained_runs import find_run
from scratchnet.planning.yaml_file import parse_yaml, read_yaml

CONFIG = "config.yaml"
# The settings that decide what the test images are.
IMAGES = ("dataset", "content", "test_fraction")
MAX_NAMED = 10
CHANGED = ("changed.csv", "changed.png")
NOT_THE_SAME = "They were tested on different images, so their answers are not compared one by one."


def find_named_run(name):
    """Return the TrainedRun that a person calls `name`. Raises ConfigError if it is not there."""
    part, epoch = re.fullmatch(r"(.*?)/?(/epoch-\d+)?/?", name, re.DOTALL).groups()
    part, epoch = part.rpartition("/")[2], epoch or ""
    runs = sorted(path.name for path in Path(paths.RUN.format(run="")).glob("*/"))
    matching = [part] if part in runs else [run for run in runs if part in run]
    if part == "latest" or len(matching) == 1:
        return find_run("", (matching or ["latest"])[0] + epoch)
    if (config := show_config(name)) is not None:
        return find_run("", choose_run(name, Runs(parse_yaml(config, f"{name}:{CONFIG}"))))
    if matching:
        shown = ", ".join(map(show_name, shorten_list(matching, MAX_NAMED)))
        raise ConfigError(f"{show_name(part)} is a part of several names: {shown}")
    return find_run("", name)  # which says that there is none


def show_config(revision):
    """Return config.yaml as it is in a revision of git, or None if there is no such revision."""
    command = ["git", "show", "--end-of-options", f"{revision}:./{CONFIG}"]
    try:
        process = subprocess.run(command, capture_output=True, check=False)
    except OSError:  # no git here
        return None
    return None if process.returncode else process.stdout


def choose_run(revision, runs):
    """Return the run that a configuration asks for, if it asks for one and that is there."""
    asked = [paths.EPOCH.format(**place) for place in runs.wildcards]
    there = [folder for folder in asked if Path(folder).is_dir()]
    if len(there) == 1:
        return there[0]
    shown = ", ".join(shorten_list(there or asked, MAX_NAMED))
    if there:
        raise ConfigError(f"{revision} asks for {len(asked)} runs: name one, of {shown}")
    raise ConfigError(
        f"{revision} asks for {shown}, which is not there. To train it: "
        f"git show {revision}:{CONFIG} > old.yaml; snakemake --cores 4 --configfile old.yaml"
    )


class Side:
    """One of the two runs, as it is in results/. Raises what DAMAGE lists, and ConfigError."""

    def __init__(self, name):
        self.found = find_named_run(name)
        self.name, self.files = self.found.name, self.found.files
        self.run, epoch = self.name.split("/epoch-")
        try:
            self.settings = read_stored_settings("", self.run, epoch)
            self.settings |= {"training.epochs": int(epoch)}
            self.metrics, self.manifest = (
                read_json(self.files[role]) for role in ("metrics", "manifest")
            )
            folder = Path(self.files["metrics"]).parent
            self.history = read_csv(folder / "history.csv")
            self.predictions = read_csv(folder / "predictions.csv")
        except DAMAGE as error:
            raise ConfigError(
                f"{self.name} cannot be read, `make check` says why: {error}"
            ) from None

    def pixels(self, index):
        """Return a test image, with pixels from 0 to 1."""
        image = np.load(self.files["X_test"], mmap_mode="r")[:, index]
        pixels = restore_pixels(image, find_pixel_range(self.manifest))
        return pixels.reshape(self.manifest["image_shape"])


def compare(a, b, style):
    """Print how two Sides differ, and write that and the pictures; return the folder of these."""
    settings = differing_settings([a.settings, b.settings])
    shown = [
        [key, *("" if value is None else str(value) for value in values)]
        for key, values in settings.items()
    ]
    settings = [["setting", "A", "B"], *shown]
    metrics = [["metric", "A", "B", "B - A"], *tabulate_metrics(a.metrics, b.metrics)]
    same = [a.settings[key] for key in IMAGES] == [b.settings[key] for key in IMAGES]
    pairs = pair_predictions(a.predictions, b.predictions) if same else None
    lines = describe_difference(pairs) if pairs else [NOT_THE_SAME]
    print(f"A: {a.name}\nB: {b.name}")
    for table in (settings, metrics):
        print("", *(escape(line) for line in align_columns(table)), sep="\n")
    print("", *lines, sep="\n", flush=True)

    from scratchnet.evaluation.comparison_plots import plot_both_histories, plot_changed  # slow

    folder = Path(paths.COMPARISON.format(a=a.run, b=b.run))
    text = [
        f"# A: {a.name}, B: {b.name}",
        "",
        *format_markdown(settings),
        "",
        *format_markdown(metrics),
    ]
    text += ["", *lines, "", "![Loss and accuracy by epoch](history.png)"]
    plot_both_histories([a.history, b.history], [a.name, b.name], folder / "history.png", style)
    for name in CHANGED:
        (folder / name).unlink(missing_ok=True)  # of an earlier comparison
    if changed := [row for row in pairs or () if row["a"] != row["b"]]:
        write_rows(folder / CHANGED[0], changed)
        plot_changed(changed, a.pixels, [a.name, b.name], folder / CHANGED[1], style)
        text += ["", f"![Test images that only one of them classifies right]({CHANGED[1]})"]
    write_text(folder / "comparison.md", "\n".join(text) + "\n")
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", help="two names")
    names = parser.parse_args().runs
    if len(names) != 2:
        sys.exit(
            'Name two runs, as in make compare RUNS="c79f3218 latest"; `make runs` lists them.'
        )
    try:
        style = resolve_runs(read_yaml(CONFIG))[0]["plots.style"]
        a, b = map(Side, names)
        if a.name == b.name:
            sys.exit(f"{' and '.join(map(show_name, names))} are the same run, {a.name}.")
        folder = compare(a, b, style)
    except (ConfigError, OSError) as error:
        sys.exit(escape(str(error), keep="\n"))
    print(f"Written: {folder}/")


if __name__ == "__main__":
    main()
