"""python -m snakefresh check|prune FOLDER: what became of results, and traces that nobody needs."""

import os
import sys
from pathlib import Path

from snakefresh.contents import content
from snakefresh.records import read_record


def records(folder):
    """Yield (path, record) of all records below a folder."""
    for path in sorted(Path(folder).rglob(".*.record")):
        if record := read_record(path):
            yield path, record


def find_damage(folder):
    """Return the results below a folder whose content is not what their record says."""
    return [
        f"{path} is {'missing' if now is None else 'damaged, or was edited by hand'}"
        for _, record in records(folder)
        for path, known in record["outputs"].items()
        if (now := content(path)) != known and (now or path not in record["temporary"])
    ]


def find_unused_traces(folder):
    """Return the traces below a folder that no record there names."""
    used = {name for _, record in records(folder) for name in record["own"] + record["inherited"]}
    return [path for path in sorted(Path(folder).rglob(".traces/*.json")) if path.stem not in used]


def main():
    """Run the command in `sys.argv`; return the exit code."""
    match sys.argv[1:]:
        case ["check" | "prune", folder] if not os.path.isdir(folder):
            print(f"{folder} is no folder", file=sys.stderr)
            return 1
        case ["check", folder]:
            damage = find_damage(folder)
            print(*damage or ["All results are what their records say."], sep="\n")
            return 1 if damage else 0
        case ["prune", folder]:
            for path in (unused := find_unused_traces(folder)):
                os.unlink(path)
            print(f"{len(unused)} traces deleted.")
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
