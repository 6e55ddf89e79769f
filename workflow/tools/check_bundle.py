"""Verify an archive of a run: that nothing is missing, damaged, or outside of its folder."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from scratchnet.errors import DataError, escape, show_name
from scratchnet.interop.bundle import check_bundle


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", help="the archive, a .zip that `snakemake bundle` made")
    path = parser.parse_args().file
    if not path:
        sys.exit("Name the archive: make check-bundle FILE=...")
    try:
        name, n, digest = check_bundle(path)
    except DataError as error:
        sys.exit(escape(str(error)))
    print(f"{show_name(path)} is complete: {name}, {n} files as they were written.")
    print(f"Its sha256, to compare with that of whoever made it: {digest}")


if __name__ == "__main__":
    main()
