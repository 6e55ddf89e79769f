"""List the results that no configuration reaches, and delete them if asked to.

Results lie in folders named after their settings, so those of earlier configurations stay. Only
files that the pipeline makes are ever looked at: whatever else lies among them is left alone. So
are predictions, for nobody can tell which are still wanted.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from scratchnet import pipeline
from scratchnet.config import resolve, swept
from scratchnet.errors import ConfigError

LOCKS = Path(".snakemake/locks")

# The files that the pipeline makes, as paths below results/; `place` is the folder that is named
# after settings, `epoch` how far a run went.
PLACE = r"(?P<place>[a-z0-9_-]+-[0-9a-f]{8})"
EPOCH = r"epoch-(?P<epoch>\d{4})"
OF_PREDICTIONS = "predict_images|plot_contact_sheet"
MADE = [
    re.compile(pattern)
    for pattern in (
        rf"data/{PLACE}/(?:[XY]_(?:train|validation|test)\.npy|manifest\.json)",
        rf"runs/{PLACE}/config\.yaml",
        rf"runs/{PLACE}/checkpoints/{EPOCH}\.(?:npz|json)",
        rf"runs/{PLACE}/{EPOCH}/(?:metrics\.json|predictions\.csv|demo\.html)",
        rf"runs/{PLACE}/{EPOCH}/(?:history|confusion|calibration)\.(?:csv|png|svg)",
        rf"runs/{PLACE}/{EPOCH}/(?:misclassified|weights)\.(?:json|png|svg)",
        rf"runs/{PLACE}/{EPOCH}/parity\.(?:json|csv|png|svg)",
        rf"runs/{PLACE}/{EPOCH}/export/(?:network\.(?:keras|onnx|npz)|README\.md)",
        rf"sweeps/{PLACE}/(?:points|curves)\.(?:csv|png|svg)",
        rf"sweeps/{PLACE}/partial_summary\.csv",
        rf"(?:logs|benchmarks)/(?!{OF_PREDICTIONS})[a-z_]+/{PLACE}(?:/{EPOCH})?\.(?:log|tsv)",
        # What a killed job was writing: the temporary names of files, of records, and of downloads.
        r"(?P<place>)(?:data|runs|sweeps)/.*/\.[A-Za-z_0-9.-]+-[0-9a-f]{32}(?:\.[a-z]+)?",
        r"(?P<place>)data/[a-z0-9_-]+/\.(?:download|raw)-\w+/.*",
    )
]


def reached(config):
    """The (place, epoch) pairs that a configuration leads to; epoch is None for what has none."""
    runs, keys = resolve(config), swept(config)
    found = {(pipeline.sweep_name(keys, pipeline.rows(runs, keys)), None)}
    for settings in runs:
        run, epochs = pipeline.run_name(settings), settings["training.epochs"]
        every = settings["training.checkpoint_every"] or epochs
        found |= {(pipeline.data_name(settings), None), (run, None)}
        found |= {(run, epoch) for epoch in [*range(every, epochs, every), epochs]}
    return found


def unreached(results, wanted):
    """Yield (path, place) of each file that the pipeline made but that no `wanted` pair is for."""
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results).as_posix()
        name = re.sub(r"/\.([^/]+)\.fingerprint$", r"/\1", name)
        for pattern in MADE:
            if not path.is_symlink() and path.is_file() and (match := pattern.fullmatch(name)):
                epoch = match.groupdict().get("epoch")
                if (match["place"], int(epoch) if epoch else None) not in wanted:
                    yield path, match["place"] or "unfinished files"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("configs", nargs="+", type=Path, help="keep what these files lead to")
    parser.add_argument("--delete", action="store_true", help="delete instead of listing")
    arguments = parser.parse_args()
    try:
        configs = [yaml.safe_load(path.read_text()) or {} for path in arguments.configs]
        wanted = set().union(*(reached(config) for config in configs))
    except (ConfigError, OSError, yaml.YAMLError) as error:
        sys.exit(str(error))
    if arguments.delete and LOCKS.is_dir() and any(LOCKS.iterdir()):
        sys.exit("A run is at work in this folder, or was killed there. First: make run")
    results = Path("results")
    sizes, places = {}, Counter()
    for path, place in unreached(results, wanted):
        sizes[path] = path.stat().st_size
        places[place] += sizes[path]
    for place, size in places.items():
        print(f"{size / 1e6:10.1f} MB  {place}")
    if arguments.delete:
        for path in sizes:
            path.unlink()
            for folder in path.parents:
                if folder == results or any(folder.iterdir()):
                    break
                folder.rmdir()
    verb = "Deleted" if arguments.delete else "To be freed by `make prune DELETE=yes`:"
    print(f"{verb} {sum(sizes.values()) / 1e6:.1f} MB in {len(sizes)} files.")


if __name__ == "__main__":
    main()
