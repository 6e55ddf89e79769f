"""List the results that no configuration asks for, and delete them on request.

Results lie in folders named after their settings, so the results of earlier configurations remain.
Only files that the pipeline makes are considered; other files among them are left alone.
Predictions are kept as well, since nothing says which of them are still wanted.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from snakefresh.__main__ import find_unused_traces

from scratchnet.errors import ConfigError, ResultsError, escape, show_name
from scratchnet.lock import lock_results
from scratchnet.planning import paths
from scratchnet.planning.runs import Runs
from scratchnet.planning.stages import READS
from scratchnet.planning.yaml_file import read_yaml

PREDICTION_STAGES = ("predict_images", "plot_contact_sheet")

# The files that the pipeline makes: patterns with wildcards, and with {a,b} for a or b. Plots and
# their data have the names of the stages that draw them.
PLOTS = ",".join(stage.removeprefix("plot_") for stage in READS if stage.startswith("plot_"))
MADE = [
    *paths.ARRAYS.values(),
    *(paths.MANIFEST, paths.RUN_CONFIG, paths.CHECKPOINT, paths.TRAINING_RECORD, paths.METRICS),
    f"{paths.DATA}/lesson.html",
    f"{paths.EPOCH}/{{predictions.csv,demo.html}}",
    f"{paths.EPOCH}/{{{PLOTS}}}.{{csv,json,png,svg}}",
    f"{paths.EPOCH}/export/{{network.keras,network.onnx,network.npz,README.md}}",
    f"{paths.SWEEP}/{{{PLOTS}}}.{{csv,png,svg}}",
    paths.PARTIAL_SUMMARY,
    f"{paths.SEARCH}/{{{PLOTS}}}.{{csv,png,svg}}",
    paths.RANKING,
    *(
        path(stage, folder)
        for stage in READS
        if stage not in PREDICTION_STAGES
        for path in (paths.log, paths.benchmark)
        for folder in (paths.DATA, paths.RUN, paths.EPOCH, paths.SWEEP, paths.SEARCH, paths.RUNG)
    ),
    # The settings of a run, where version 1.0 wrote them.
    f"{paths.RUN}/config.yaml",
    *(path("describe", paths.RUN) for path in (paths.log, paths.benchmark)),
]
# What a killed job leaves behind: temporary folders of downloads and of unpacked files, and files
# under a temporary name, which is that of a result or of a record with a random number.
UNFINISHED_FOLDER = re.compile(r"data/[a-z0-9_-]+/\.(download|raw)-[0-9a-f]{32}-\w{8}/.*")
RECORD = re.compile(r"\.([^/]+)\.(?:record|fingerprint)$")  # of version 1: fingerprint
TEMPORARY_NAME = re.compile(r"(.*/)\.(.+)-[0-9a-f]{32}(\.[a-z]+)?")


def to_regex(pattern):
    """Return the regular expression of one of MADE, with the wildcards as groups."""
    path = re.escape(pattern.removeprefix(f"{paths.RESULTS}/"))
    for name, allowed in paths.WILDCARDS.items():
        path = path.replace(rf"\{{{name}\}}", f"(?P<{name}>{allowed})")
    choices = re.compile(r"\\\{(.*?)\\\}")
    return re.compile(choices.sub(lambda match: f"(?:{match[1].replace(',', '|')})", path))


def find_wanted(config):
    """Return the (folder, epoch) pairs that a configuration asks for; an epoch may be None.

    A trial of a search is wanted in all rungs, however far it came.
    """
    runs = Runs(config)
    wanted = {(runs.search.name if runs.search else runs.sweep, None)}
    for settings, place in zip(runs.settings, runs.wildcards):
        run, epochs = place["run"], settings["training.epochs"]
        every = settings["training.checkpoint_every"] or epochs
        wanted |= {(place["data"], None), (run, None)}
        wanted |= {(run, epoch) for epoch in [*range(every, epochs, every), *runs.epochs[run]]}
    return wanted


def is_unfinished(name, patterns):
    """Return whether a file below results/ is what a killed job was writing.

    `patterns` are those of all files that the pipeline makes.
    """
    if temporary := TEMPORARY_NAME.fullmatch(name):
        folder, start, suffix = temporary.groups(default="")
        name = f"{folder}{start}{suffix}".removesuffix(".record")
        return any(pattern.fullmatch(name) for pattern in patterns)
    return UNFINISHED_FOLDER.fullmatch(name) is not None


def find_unwanted(results, wanted):
    """Yield (path, folder) of each file that the pipeline made for none of the `wanted` pairs."""
    patterns = [to_regex(pattern) for pattern in MADE]
    raw_files = [to_regex(pattern) for pattern in paths.RAW_FILES.values()]  # kept, once finished
    for path in sorted(results.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name = path.relative_to(results).as_posix()
        if is_unfinished(name, [*patterns, *raw_files]):
            yield path, "unfinished files"
        if name.endswith(".fingerprint") and path.with_suffix(".record").exists():
            yield path, "records of version 1"
            continue
        name = RECORD.sub(r"\1", name)
        match = next(filter(None, (pattern.fullmatch(name) for pattern in patterns)), None)
        if match:
            wildcards = match.groupdict()
            epoch = wildcards.pop("epoch", None)
            wildcards.pop("rung", None)
            (folder,) = wildcards.values()
            if (folder, int(epoch) if epoch else None) not in wanted:
                yield path, folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("configs", nargs="+", type=Path, help="keep what these files ask for")
    parser.add_argument("--delete", action="store_true", help="delete instead of listing")
    parser.add_argument("--through-link", action="store_true", help="also where results is a link")
    arguments = parser.parse_args()
    try:
        wanted = set().union(*(find_wanted(read_yaml(path)) for path in arguments.configs))
    except (ConfigError, OSError) as error:
        sys.exit(escape(str(error), keep="\n"))
    results = Path(paths.RESULTS)
    if arguments.delete and results.is_symlink() and not arguments.through_link:
        sys.exit(
            f"{results} is a link to {show_name(results.readlink())}. If no other folder uses "
            f"these results, add --through-link:\n  python {' '.join(sys.argv)} --through-link"
        )
    if arguments.delete:
        try:
            lock_results(results)
        except ResultsError as error:
            sys.exit(str(error))
    sizes, folders = {}, Counter()
    for path, folder in find_unwanted(results, wanted):
        sizes[path] = path.stat().st_size
        folders[folder] += sizes[path]
    for folder, size in folders.items():
        print(f"{size / 1e6:10.1f} MB  {folder}")
    if arguments.delete:
        for path in sizes:
            path.unlink()
            delete_empty_folders(path.parents, results)
        for path in find_unused_traces(results):
            path.unlink()
    verb = "Deleted" if arguments.delete else "`make prune DELETE=yes` would delete"
    print(f"{verb} {sum(sizes.values()) / 1e6:.1f} MB in {len(sizes)} files.")


def delete_empty_folders(folders, top):
    """Delete `folders`, from the innermost to below `top`, as long as they are empty."""
    for folder in folders:
        if folder == top or any(folder.iterdir()):
            break
        folder.rmdir()


if __name__ == "__main__":
    main()
