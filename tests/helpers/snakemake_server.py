"""Snakemake, loaded once and forked for each call, which saves a second of each.

Each line of standard input is JSON: the folder to run in, the arguments for Snakemake, environment
variables, and the files for standard output and error. The answer is a line with the exit code.
(A program of `project.py`.)
"""

import json
import os
import sys

import jsonschema  # noqa: F401  (what the Snakefile will import besides)
import yaml  # noqa: F401
from snakemake.cli import main


def call(folder, arguments, environment, stdout, stderr):
    """Be `snakemake` with these arguments; ends this process."""
    os.setsid()  # so that the caller can end it with its jobs
    os.chdir(folder)
    os.environ |= environment
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    for number, name, mode in ((0, os.devnull, "rb"), (1, stdout, "wb"), (2, stderr, "wb")):
        with open(name, mode) as file:
            os.dup2(file.fileno(), number)
    sys.argv = ["snakemake", *arguments]
    code = 1
    try:
        main(arguments)
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):  # as Python does
            print(code, file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    del sys.path[0]  # the tests' folder
    for line in sys.stdin:
        process = os.fork()
        if not process:
            call(**json.loads(line))
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
