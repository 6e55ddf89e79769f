"""List the results that are missing, damaged or edited by hand; on request delete the damaged."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from snakefresh.__main__ import MISSING, find_damage, list_damage

from scratchnet.errors import ResultsError, escape, show_name
from scratchnet.lock import lock_results
from scratchnet.planning import paths


def delete(path):
    """Delete a file, or a link, in results/; return whether it is one."""
    # A record may name any path.
    is_below = Path(path).parent.resolve().is_relative_to(Path(paths.RESULTS).resolve())
    if not is_below or (os.path.isdir(path) and not os.path.islink(path)):
        return False
    os.unlink(path)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delete", action="store_true", help="delete what is damaged")
    arguments = parser.parse_args()
    if not os.path.isdir(paths.RESULTS):
        sys.exit(f"{paths.RESULTS} is not a folder")
    try:
        if arguments.delete:
            lock_results(paths.RESULTS)
        damage = find_damage(paths.RESULTS)
        print(escape(list_damage(damage), keep="\n"), flush=True)
        damaged = [path for path, words in damage.items() if words != MISSING]
        if not arguments.delete:
            if damaged:
                print("`make check REPAIR=yes` deletes what is damaged; then run again.")
            sys.exit(bool(damage))
        kept = [path for path in damaged if not delete(path)]
    except (OSError, ResultsError) as error:
        sys.exit(escape(str(error)))
    for path in kept:
        print(f"{show_name(path)} is not a file of this folder: look at it, and delete it yourself")
    if damage:
        print(f"{len(damaged) - len(kept)} deleted. The next run makes what is missing.")
    sys.exit(bool(kept))


if __name__ == "__main__":
    main()
