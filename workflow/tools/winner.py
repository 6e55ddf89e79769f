"""Print the configuration of the winner of a search, to be used as a config.yaml.

    python workflow/tools/winner.py [CONFIG ...]

Each CONFIG adds to the files before it, like Snakemake's --configfile; the default is config.yaml.
"""

import sys
from pathlib import Path

import yaml
from snakemake.utils import update_config

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from scratchnet.errors import ConfigError, escape
from scratchnet.planning import paths
from scratchnet.planning.runs import Runs
from scratchnet.planning.search import read_promoted
from scratchnet.planning.yaml_file import read_yaml


def main():
    config = {}
    try:
        for path in sys.argv[1:] or ["config.yaml"]:
            update_config(config, read_yaml(path))
        settings = find_winner(Runs(config))
    except (ConfigError, OSError) as error:
        sys.exit(escape(str(error), keep="\n"))
    keys = [*config.pop("search")["space"], "training.epochs"]
    for key in keys:
        section, name = key.split(".")
        if key in settings:  # it applies to the winner
            config[section] = (config.get(section) or {}) | {name: settings[key]}
    print(yaml.safe_dump(config, sort_keys=False), end="")


def find_winner(runs):
    """Return the settings of the winner. Raises ConfigError where there is none yet."""
    if not runs.search:
        raise ConfigError("the configuration has no search")
    ranking = Path(paths.RANKING.format(search=runs.search.name, rung=len(runs.search.rungs)))
    if not ranking.is_file():
        raise ConfigError("the search has not come to its end: run it first (make run)")
    (winner,) = read_promoted(ranking)
    return runs.only(winner).settings[0]


if __name__ == "__main__":
    main()
