"""Grade what learners hand in: NAME.ipynb, a copy of the lesson, NAME.csv and NAME.yaml, homework.

The table says how many exercises are right in each notebook. Only the cells with the answers are
taken from it; all others come from docs/lesson.ipynb. Each is graded in a process of its own, with
bounds on time, memory and files, in an empty folder. Still, answers are programs: grade those of
strangers in an account or a container where there is nothing to lose. homework.py grades the other
two files, which are no programs.
"""

import argparse
import ast
import contextlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

import numpy as np

from scratchnet.errors import escape, show_name
from scratchnet.evaluation.summary import align_columns
from scratchnet.files import write_rows

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
LESSON = Path(__file__).parents[2] / "docs/lesson.ipynb"
SECONDS = 10  # of an answer and its check
TOTAL_SECONDS = 180  # of a notebook
MEMORY, FILE_SIZE = 4_000_000_000, 10_000_000  # bytes
MAX_SIZE = 50_000_000  # bytes of a notebook
RIGHT = "Right."
KINDS = (".ipynb", ".csv", ".yaml")
TABLE = "grades.csv"


def grade(path):
    """Return what is right in the notebook `path`: a row for the table."""
    lesson = read_cells(LESSON)
    names = [name_of(source) for tag, source in lesson if tag == "answer"]
    row = {"right": 0, "exercises": len(names), "wrong": "all", "note": ""}
    try:
        found = find_answers(path, names)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        return row | {"note": f"no notebook: {escape(str(error))}"}
    answers = iter(found)
    cells = [[tag, next(answers) if tag == "answer" else source] for tag, source in lesson]
    verdicts = run(cells)
    missing = len(names) - len(verdicts)
    note = "an answer ended the process, or took too long" if missing else ""
    verdicts += [note] * missing
    wrong = [i for i, verdict in enumerate(verdicts, start=1) if verdict != RIGHT]
    return row | {
        "right": len(names) - len(wrong),
        "wrong": " ".join(map(str, wrong)),
        "note": note,
    }


def read_cells(path):
    """Return the code cells of a notebook: pairs of the first tag, "" without any, and the source.

    Raises OSError, ValueError, LookupError, TypeError or AttributeError if it is none.
    """
    if not path.is_file() or path.stat().st_size > MAX_SIZE:
        raise ValueError("not a file, or too large")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [
        ((cell["metadata"].get("tags") or [""])[0], "".join(cell["source"]))
        for cell in cells
        if cell["cell_type"] == "code"
    ]


def name_of(source):
    """Return the name of the function or class that an answer defines; "" if there is none."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    names = [node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return names[-1] if names else ""


def find_answers(path, names):
    """Return the source of the last cell that defines each of `names`; "" where there is none."""
    sources = {name_of(source): source for _, source in read_cells(path)}
    return [sources.get(name, "") for name in names]


def run(cells):
    """Run `cells`, pairs of tag and source, in a process; return what the checks say, line by line.

    There are fewer lines than checks if the process ended early.
    """
    with TemporaryDirectory() as folder:
        write_arrays(Path(folder))
        reading, writing = os.pipe()
        environment = {
            "LESSON_ARRAYS": folder,
            "EPOCHS": "1",
            "MPLBACKEND": "agg",
            "HOME": folder,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SCRIPTS),
        }
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "--verdicts", str(writing)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writing],
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        os.close(writing)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(json.dumps(cells).encode(), timeout=TOTAL_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # also what it has started
        process.wait()
        os.set_blocking(reading, False)
        with open(reading, "rb") as file:
            return (file.read(MAX_SIZE) or b"").decode(errors="replace").splitlines()


def write_arrays(folder):
    """Write a small dataset, as the lesson needs one."""
    rng = np.random.default_rng(0)
    for split, n in (("train", 120), ("test", 20)):
        np.save(folder / f"X_{split}.npy", rng.random((30, n), np.float32))
        np.save(folder / f"Y_{split}.npy", np.eye(3, dtype=np.float32)[np.arange(n) % 3].T)
    manifest = {"image_shape": [6, 5], "classes": ["a", "b", "c"], "minimum": 0, "maximum": 255}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def run_cells(cells, verdicts):
    """Run `cells` one after the other; write what each check says to the file `verdicts`."""

    def stop(signum, frame):
        raise TimeoutError(f"not finished after {SECONDS} seconds")

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, stop)
    names = {"__name__": "__main__"}
    for tag, source in cells:
        printed = io.StringIO()
        try:
            signal.alarm(SECONDS if tag else 0)
            with contextlib.redirect_stdout(printed):
                exec(compile(source, "<cell>", "exec"), names)
        except BaseException as error:
            if not tag:  # a cell of the lesson itself fails: an answer has changed what it needs
                raise
            print(f"{type(error).__name__}: {error}", file=printed)
        finally:
            signal.alarm(0)
        if tag == "check":
            # Short, so that the pipe takes all of them.
            print(printed.getvalue().strip().replace("\n", " ")[:200], file=verdicts, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="folder with what was handed in")
    parser.add_argument("--verdicts", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.verdicts:
        cells = json.load(sys.stdin)
        with open(arguments.verdicts, "w") as verdicts:
            return run_cells(cells, verdicts)
    from homework import grade_homework  # not in the process above: it imports Snakemake

    folder = arguments.folder
    if not folder:
        return "name the folder with what was handed in: make grade FOLDER=path/to/files"
    if not folder.is_dir():
        return f"{show_name(folder)} is not a folder"
    files = folder.iterdir()
    names = {path.stem for path in files if path.suffix in KINDS and path.name != TABLE}
    if not names:
        return f"{show_name(folder)} has no files that end in {', '.join(KINDS)}"
    rows = []
    with TemporaryDirectory() as work:
        for name in sorted(names):
            print(f"grading {show_name(name)}", flush=True)
            row = {"name": name} | grade(folder / f"{name}.ipynb")
            rows.append(row | grade_homework(name, folder, Path(work)))
    table = folder / TABLE
    write_rows(table, rows)
    shown = [[show_name(value) for value in row.values()] for row in rows]
    print("", *align_columns([[*rows[0]], *shown]), f"Written to {show_name(table)}", sep="\n")
    return None


if __name__ == "__main__":
    sys.exit(main())
