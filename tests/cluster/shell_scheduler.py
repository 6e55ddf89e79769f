"""A scheduler that is the plain shell: submit, status, and cancel, for cluster-generic.

python shell_scheduler.py submit SCRIPT     # prints the job's number
python shell_scheduler.py submit --apart FOLDER SCRIPT      # the job runs in a new folder in FOLDER
python shell_scheduler.py status NUMBER     # prints running, success or failed
python shell_scheduler.py cancel NUMBER ...
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

FOLDER = Path(".snakemake/shell_jobs").resolve()


def submit(*arguments):
    script = Path(arguments[-1]).resolve()
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = None
    if arguments[0] == "--apart":
        Path(arguments[1]).mkdir(exist_ok=True)
        folder = mkdtemp(dir=arguments[1])
    code = 'sh "$1"; echo $? > "$2/$$.code.new"; mv "$2/$$.code.new" "$2/$$.code"'
    process = subprocess.Popen(
        ["sh", "-c", code, "sh", script, FOLDER],
        cwd=folder,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    print(process.pid)


def status(number):
    code = FOLDER / f"{number}.code"
    if code.exists():
        print("success" if code.read_text() == "0\n" else "failed")
    else:
        print("running" if Path(f"/proc/{number}").exists() else "failed")


def cancel(*numbers):
    for number in map(int, numbers):
        os.killpg(number, signal.SIGTERM)


if __name__ == "__main__":
    {"submit": submit, "status": status, "cancel": cancel}[sys.argv[1]](*sys.argv[2:])
