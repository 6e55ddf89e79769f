"""Bring the environment .venv up to date: python3 workflow/tools/set_up.py [test] [cluster] ...

pyproject.toml names the packages of each dependency group, and requirements/pins.txt their versions
and hashes. The group run is always installed, others if they are named. An environment is made anew
if it is not complete: half made, moved with its folder, or without its Python or pip. With
--this-python, one with another Python is made anew, too.

This file runs on older versions of Python than the project itself, to say that they are too old.
"""

import argparse
import ast
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

VERSIONS = ((3, 11), (3, 13))  # the oldest and the newest that are tested
CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"
OLD = CHECKOUT / ".venv-old"  # what is replaced, until its successor is complete
STATE = VENV / "set-up.json"  # how .venv was made, and what is in it; missing while that changes
PINS = ["pyproject.toml", "requirements/build.txt", "requirements/pins.txt"]
PYTHON = [str(VENV / "bin" / "python"), "-I"]  # PYTHONPATH and the like have no effect
# Of the user's settings of pip, those that say where packages come from, and what pip tells.
# Others might install elsewhere, or nothing.
SETTINGS = [
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "keyring-provider",
    "proxy",
    "cert",
    "client-cert",
    "trusted-host",
    "timeout",
    "default-timeout",
    "retries",
    "cache-dir",
    "no-cache-dir",
    "log",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("groups", nargs="*")
    parser.add_argument("--this-python", action="store_true")
    arguments = parser.parse_args()
    groups = ["run", *arguments.groups]
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    for number in (signal.SIGTERM, signal.SIGHUP):  # end as on Ctrl-C
        if signal.getsignal(number) is not signal.SIG_IGN:  # by nohup, for example
            signal.signal(number, signal.default_int_handler)
    folder = os.open(str(CHECKOUT), os.O_RDONLY)
    try:
        wait_for_lock(folder)  # until the end: two at once would be in each other's way
        state = read_state()
        is_other_python = arguments.this_python and state.get("python") != base
        if is_other_python or not is_usable(state):
            check_version()
            replace(base, groups)
        else:
            install(groups, state)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"The environment .venv cannot be set up: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopping. The same command sets up .venv again.")


def wait_for_lock(folder):
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Waiting for another command that is setting up .venv", flush=True)
        fcntl.flock(folder, fcntl.LOCK_EX)


def read_state():
    try:
        return json.loads(STATE.read_text())
    except (OSError, ValueError):
        return {}


def is_usable(state):
    """Return whether .venv was completed in this place, and its Python runs there and has pip."""
    if state.get("folder") != str(VENV):
        return False
    command = [*PYTHON, "-c", "import pip, sys; sys.exit(sys.prefix != sys.argv[1])", str(VENV)]
    try:
        return subprocess.call(command, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


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


def replace(base, groups):
    """Make .venv anew, with the packages of these groups; if that fails, keep the old one."""
    if os.path.lexists(str(VENV)):
        remove(OLD)
        VENV.rename(OLD)
    try:
        install(groups, create(base))
    except BaseException:  # Ctrl-C, too
        remove(VENV)
        if os.path.lexists(str(OLD)):
            OLD.rename(VENV)
        raise
    remove(OLD)


def remove(path):
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(str(path), ignore_errors=True)


def create(base):
    """Make .venv, without packages; return its state."""
    print("Setting up .venv with Python {}.{}.{}".format(*sys.version_info), flush=True)
    VENV.mkdir()
    command = [base, "-I", "-m", "venv", str(VENV)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        print(result.stdout.decode().rstrip(), file=sys.stderr)
        sys.exit(
            f"{base} cannot make a virtual environment; see above. If it lacks the module "
            "venv, on Debian and Ubuntu: apt install python3-venv"
        )
    return {"folder": str(VENV), "python": base}


def install(groups, state):
    """Install the groups that are not in .venv as they are pinned."""
    installed = state["groups"] if state.get("stamp") == stamp() else []
    missing = [name for name in groups if name not in installed]
    if not missing:
        return
    print("Installing packages to", " and ".join(missing), "(a minute or two)", flush=True)
    if STATE.exists():
        STATE.unlink()
    # To build a package without a wheel, pip would fetch build tools without looking at hashes.
    pip = [*PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-build-isolation"]
    build = ["-r", "requirements/build.txt"]
    packages = ["-c", "requirements/pins.txt", *("--group=" + name for name in missing)]
    environment = pip_environment()
    for arguments in (build, packages):
        if subprocess.call([*pip, *arguments], cwd=str(CHECKOUT), env=environment):
            STATE.write_text(json.dumps(state))  # pip has changed nothing
            sys.exit(f"The packages to {' and '.join(missing)} could not be installed; see above.")
    STATE.write_text(json.dumps(dict(state, stamp=stamp(), groups=installed + missing)))


def stamp():
    """Return what changes with the pins, and when anybody installs or removes a package."""
    pins = hashlib.sha256(b"".join((CHECKOUT / name).read_bytes() for name in PINS)).hexdigest()
    return [pins, *(path.stat().st_mtime_ns for path in VENV.glob("lib/python*/site-packages"))]


def pip_environment():
    """Return the environment for pip: of the user's settings of pip, only those in SETTINGS."""
    lines = subprocess.check_output([*PYTHON, "-m", "pip", "config", "list"]).decode().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("PIP_")}
    environment.update(PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK="1")
    for section in ("global", "install", ":env:"):  # the last one counts
        for name in SETTINGS:
            if f"{section}.{name}" in settings:
                value = ast.literal_eval(settings[f"{section}.{name}"])
                environment["PIP_" + name.upper().replace("-", "_")] = value.replace("\n", " ")
    return environment


if __name__ == "__main__":
    main()
