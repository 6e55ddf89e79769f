"""Snakemake, loaded once and forked for each plan, which takes half as long as starting it anew.

Each line of standard input is JSON: the folder to plan in, the arguments for Snakemake, and a file
for what it says. The answer to each is a line with its exit code. (A program of `project.py`.)
"""

import json
import os
import sys

import jsonschema  # noqa: F401  (what the Snakefile will import besides)
import yaml  # noqa: F401
from snakemake.cli import main


def plan(folder, arguments, output):
    """Be `snakemake` with these arguments; ends this process."""
    os.chdir(folder)
    with open(output, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["snakemake", *arguments]
    main(arguments)


if __name__ == "__main__":
    del sys.path[0]  # the tests' folder
    for line in sys.stdin:
        process = os.fork()
        if not process:
            plan(**json.loads(line))
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
