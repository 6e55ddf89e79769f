"""List the results that no configuration asks for, and delete them on request.

Results lie in folders named after their settings, so those of earlier configurations remain. They
go by whole folders, with all that is in them. Predictions and comparisons are kept, since nothing
says which of them are still wanted, and so are downloaded files.
"""

import argparse
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

from snakemake.utils import update_config

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from snakefresh.__main__ import find_unused_traces

from scratchnet.errors import ConfigError, ResultsError, describe_owner, escape, show_name
from scratchnet.lock import lock_results
from scratchnet.planning import paths
from scratchnet.planning.runs import Runs
from scratchnet.planning.yaml_file import read_yaml

RESULTS = Path(paths.RESULTS)
FOLDERS = ("data/*", "runs/*", "sweeps/*", "searches/*", "logs/*/*", "benchmarks/*/*")
OF_AN_EPOCH = re.compile(r"\.?epoch-([0-9]{4})\b.*")
LEFT_BY_KILLS = f".*-{32 * '[0-9a-f]'}*"  # the temporary names of files.py


def find_wanted(*configs):
    """Return what the files `configs` ask for together: {name of a folder: its epochs}.

    Each adds to the one before, as Snakemake's --configfile does. A trial of a search is wanted in
    all rungs, however far it came.
    """
    config = {}
    for path in configs:
        update_config(config, read_yaml(path))
    runs = Runs(config)
    wanted = {runs.search.name if runs.search else runs.sweep: set()}
    for settings, place in zip(runs.settings, runs.wildcards):
        run, epochs = place["run"], settings["training.epochs"]
        every = settings["training.checkpoint_every"] or epochs
        on_the_way = {*range(every, epochs, every)}
        wanted |= {place["dataset"]: set(), place["data"]: set()}
        wanted[run] = wanted.get(run, set()) | on_the_way | runs.epochs[run]
    return wanted


def find_unwanted(wanted):
    """Yield (path, name of its folder) of what is not `wanted`: whole folders, logs, and epochs.

    In folders that are wanted, what a killed job was writing is not wanted either.
    """
    predictions = {path.name for path in RESULTS.glob("predictions/*")}
    for path in sorted(path for pattern in FOLDERS for path in RESULTS.glob(pattern)):
        name = path.name.removesuffix(".log").removesuffix(".tsv")
        if name in wanted:
            for part in [*path.glob("*"), *path.glob("checkpoints/*")]:
                epoch = OF_AN_EPOCH.fullmatch(part.name)
                if epoch and int(epoch[1]) not in wanted[name]:
                    yield part, name
            yield from ((part, name) for part in path.rglob(LEFT_BY_KILLS))
        elif path.parent.name == "data" and not has_records(path):
            continue  # images that somebody put there
        elif re.fullmatch(paths.FOLDER_NAME, name) and name not in predictions:
            yield path, name


def has_records(folder):
    """Return whether there are records below `folder`, of this version or of version 1."""
    return any(path.suffix in (".record", ".fingerprint") for path in folder.rglob(".*"))


def refuse_links():
    """End the program if results are in a folder that others may share."""
    for path in [RESULTS, *RESULTS.rglob("*")]:
        if path.is_symlink() and path.is_dir() and path != Path(paths.LATEST):
            sys.exit(
                f"{show_name(path)} is a link to {show_name(path.readlink())}, and others may use "
                "what is there. Nothing was deleted: delete by hand what nobody needs"
            )


def delete(unwanted):
    """Delete these folders and files, and the traces that no record names then."""
    for path in unwanted:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # it may have been in one of the folders
    for path in find_unused_traces(RESULTS):
        path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="keep what this file asks for")
    parser.add_argument(
        "configs", nargs="*", type=Path, help="and what it asks for with --configfile and this one"
    )
    parser.add_argument("--delete", action="store_true", help="delete instead of listing")
    arguments = parser.parse_args()
    wanted = {}
    try:
        for others in [[], *([path] for path in arguments.configs)]:
            for name, epochs in find_wanted(arguments.config, *others).items():
                wanted[name] = wanted.get(name, set()) | epochs
    except (ConfigError, OSError) as error:
        sys.exit(escape(str(error), keep="\n"))
    if arguments.delete:
        try:
            lock_results(RESULTS)
        except ResultsError as error:
            sys.exit(str(error))
    unwanted, sizes, n_files = dict(find_unwanted(wanted)), Counter(), 0
    for path, name in unwanted.items():
        files = [file for file in (path, *path.rglob("*")) if not file.is_dir()]
        sizes[name] += sum(file.lstat().st_size for file in files)
        n_files += len(files)
    for name, size in sizes.items():
        print(f"{size / 1e6:10.1f} MB  {name}", flush=True)
    if arguments.delete:
        refuse_links()
        try:
            delete(unwanted)
        except OSError as error:
            sys.exit(f"Not all was deleted: {error}{describe_owner(error.filename)}")
    verb = "Deleted" if arguments.delete else "`make prune DELETE=yes` would delete"
    print(f"{verb} {sizes.total() / 1e6:.1f} MB in {n_files} files.")


if __name__ == "__main__":
    main()
