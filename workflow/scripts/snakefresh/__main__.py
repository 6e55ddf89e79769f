"""python -m snakefresh check|prune FOLDER: what became of results, and traces that nobody needs."""

import os
import sys
from pathlib import Path

from snakefresh.contents import content
from snakefresh.records import DAMAGED, read_record, read_trace, traces_folder

MISSING = "is missing"


def find_damage(folder):
    """Return what is damaged below a folder, {path: what is wrong with it}.

    These are results whose content is not what their record says, read anew whatever their times
    are; and records and traces that cannot be read.
    """
    found, traces = {}, set()
    for path in map(str, sorted(Path(folder).rglob(".*.record"))):
        if (record := read_record(path)) is None:
            found[path] = DAMAGED
            continue
        for output, known in record["outputs"].items():
            is_there = os.path.lexists(output)
            may_lack = not is_there and output in record["temporary"]
            if content(output, remembers=False) != known and not may_lack:
                found[output] = DAMAGED if is_there else MISSING
        traces |= {(traces_folder(path), name) for name in record["own"] + record["inherited"]}
    for place, name in sorted(traces):
        if read_trace(place, name) is None:
            path = f"{place}/{name}.json"
            found[path] = DAMAGED if os.path.lexists(path) else MISSING
    return found


def list_damage(damage):
    """Return what `find_damage` found, as text."""
    lines = [f"{path} {words}" for path, words in damage.items()]
    return "\n".join(lines) or "All results are what their records say."


def find_unused_traces(folder):
    """Return the traces below a folder that no record there names."""
    records = filter(None, map(read_record, Path(folder).rglob(".*.record")))
    used = {name for record in records for name in record["own"] + record["inherited"]}
    return [path for path in sorted(Path(folder).rglob(".traces/*.json")) if path.stem not in used]


def main():
    """Run the command in `sys.argv`; return the exit code."""
    match sys.argv[1:]:
        case ["check" | "prune", folder] if not os.path.isdir(folder):
            print(f"{folder} is not a folder", file=sys.stderr)
            return 1
        case ["check", folder]:
            damage = find_damage(folder)
            print(list_damage(damage))
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
