"""A list of files with their checksums."""

from snakefresh import recorded

import hashlib
from pathlib import Path

if __name__ == "__main__":
    with recorded(snakemake):
        paths = [*snakemake.input.report, snakemake.input.plot]
        sums = [f"{hashlib.sha256(Path(path).read_bytes()).hexdigest()}  {path}" for path in paths]
        Path(snakemake.output[0]).write_text("\n".join(sums) + "\n")
