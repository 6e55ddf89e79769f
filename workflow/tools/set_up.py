"""Bring the environment .venv up to date: python3 workflow/tools/set_up.py [test] [cluster] ...

It is made if there is none, and made anew if it is damaged: half made, moved with its folder, or
without its Python or pip. Then the packages in requirements.txt are installed, unless they are
already, and those in requirements-test.txt and so on if these are named. With --this-python, an
environment with another Python is made anew, too.

This file runs on older versions of Python than the project itself, to say that they are too old.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = ((3, 11), (3, 13))  # the oldest and the newest that are tested
CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"
OLD = CHECKOUT / ".venv-old"  # what is replaced, until its successor is complete
STATE = "set-up.json"  # in .venv: how it was made, and what is installed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("purposes", nargs="*")
    parser.add_argument("--this-python", action="store_true")
    arguments = parser.parse_args()
    suffixes = ["-build", "", *("-" + purpose for purpose in arguments.purposes)]
    files = [CHECKOUT / f"requirements{suffix}.txt" for suffix in suffixes]
    folder = os.open(str(CHECKOUT), os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # until the end: two at once would be in each other's way
    try:
        if not is_usable(arguments.this_python):
            check_version()
            replace(files)
        install(files)
    except OSError as error:
        sys.exit(f"The environment .venv cannot be set up: {error}")


def replace(files):
    """Make .venv anew, with the packages in `files`; if that fails, keep the old one."""
    if VENV.exists():
        shutil.rmtree(str(OLD), ignore_errors=True)
        VENV.rename(OLD)
    try:
        create()
        install(files)
    except BaseException:  # Ctrl-C, too
        shutil.rmtree(str(VENV), ignore_errors=True)
        if OLD.exists():
            OLD.rename(VENV)
        raise
    shutil.rmtree(str(OLD), ignore_errors=True)


def check_version():
    """Exit with one sentence if this Python is too old or too new."""
    oldest, newest = VERSIONS
    if not oldest <= sys.version_info[:2] <= newest:
        names = [f"python3.{minor}" for minor in range(newest[1], oldest[1] - 1, -1)]
        found = [name for name in names if shutil.which(name)]
        sys.exit(
            "Python {} to {} is needed, this is {}: {}".format(
                *(".".join(map(str, version[:2])) for version in (*VERSIONS, sys.version_info)),
                "make run PYTHON={}".format(found[0] if found else "..."),
            )
        )


def is_usable(only_this_python):
    """Return whether .venv is complete, in its place, and runs a Python that is supported."""
    state = read_state()
    python = VENV / "bin" / "python"
    return (
        state.get("folder") == str(VENV)
        and os.access(str(python), os.X_OK)
        and any(VENV.glob("lib/python*/site-packages/pip"))
        and (not only_this_python or state["python"] == base_python())
    )


def base_python():
    """Return the path of the Python that runs this, outside of any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def create():
    """Make .venv, without packages."""
    print("Setting up .venv with Python {}.{}.{}".format(*sys.version_info), flush=True)
    VENV.mkdir()
    command = [base_python(), "-m", "venv", str(VENV)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        print(result.stdout.decode().rstrip(), file=sys.stderr)
        sys.exit(
            f"{base_python()} cannot make a virtual environment; see above. If it lacks the module "
            "venv, on Debian and Ubuntu: apt install python3-venv"
        )
    write_state({"folder": str(VENV), "python": base_python(), "installed": {}})


def install(files):
    """Install the packages in requirements `files`, except those that are installed."""
    state = read_state()
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        if state["installed"].get(path.name) == content:
            continue
        print(f"Installing what {path.name} lists, which may take a minute", flush=True)
        command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        # To build a package without a wheel, pip would fetch build tools without looking at hashes.
        command += ["--no-build-isolation", "--disable-pip-version-check", "-r", str(path)]
        if subprocess.run(command, check=False).returncode:
            sys.exit(f"The packages in {path.name} could not be installed; see above.")
        state["installed"][path.name] = content
        write_state(state)


def read_state():
    try:
        return json.loads((VENV / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def write_state(state):
    (VENV / STATE).write_text(json.dumps(state, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
