"""A differential test: a project that much happens to, beside fresh ones to which nothing happens.

    python tests/differential/walk.py [--steps N] [--seed S] [--hole NAME]

Each step does something to a long-lived project: it edits settings, code or data, undoes, kills,
deletes, touches, copies, ... Then one more `snakemake --cores 2` has to leave every result byte for
byte as a fresh project in the same state makes it, with nothing planned after it, no training
repeated, and `latest` and the closing table right. It judges by the content of files and by a book
of its own, not by the records of the workflow.

The same seed does the same, apart from the moments of kills. With --hole, a known fault is put into
the workflow first: one of holes.py, which the walk has to find.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "helpers"), str(HERE.parents[1] / "workflow" / "scripts")]

import forked  # noqa: E402
import world  # noqa: E402
from holes import HOLES  # noqa: E402
from world import State  # noqa: E402

from kills import wait_for_jobs  # noqa: E402
from project import Project, copy_with_small_data  # noqa: E402
from scratchnet.files import read_csv  # noqa: E402

TIMED = {"seconds"}  # what differs from run to run


class DiscrepancyError(Exception):
    """The long-lived project is not as it should be."""


def content(path):
    """What is compared of a result: a link's target, or the bytes, without the time it took."""
    if path.is_symlink():
        return str(path.readlink())
    if path.parent.name == "checkpoints" and path.suffix == ".json":
        record = json.loads(path.read_text())
        return {key: value for key, value in record.items() if key not in TIMED}
    if path.name == "summary.csv":
        return [{k: v for k, v in row.items() if k not in TIMED} for row in read_csv(path)]
    return path.read_bytes()


def results(project):
    """{path below results/: content} of all results, without logs, benchmarks and hidden files."""
    found = {}
    for path in sorted(project.results.rglob("*")):
        name = path.relative_to(project.results).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        is_result = name.split("/")[0] not in ("logs", "benchmarks") and not hidden
        if is_result and (path.is_symlink() or path.is_file()):
            found[name] = content(path)
    return found


class Fresh:
    """The results of fresh projects, by State; each state is run once."""

    def __init__(self, folder, hole):
        self.folder, self.hole, self.known = folder, hole, {}

    def __call__(self, state):
        state = state.what_counts
        if state not in self.known:
            project = new_project(self.folder / f"fresh {len(self.known)}", self.hole)
            world.put(project, state, world.read_pristine(project.folder))
            code, output = forked.run(project.folder)
            if code:
                raise DiscrepancyError(f"A fresh run of {state} fails:\n{output}")
            self.known[state] = wanted(results(project), state)
            shutil.rmtree(project.folder)
        return self.known[state]


def wanted(found, state):
    """Those of the results of a fresh project that are asked for, not passed on the way."""
    training = state.settings.get("training", {})
    asked = {
        *state.settings.get("sweep", {}).get("training.epochs", []),
        training.get("epochs", 4),
    }
    return {
        name: value
        for name, value in found.items()
        if not (match := re.search(r"checkpoints/epoch-(\d+)", name)) or int(match[1]) in asked
    }


# Before what each job does: a failure that no record knows of.
JOB = "workflow/scripts/scratchnet/job.py"
WORK = "        yield\n"
FAILURE = """\
        import os
        if os.environ.get("FAIL") == log.split("/")[2].split(".")[0]:  # results/logs/RULE...
            raise OSError("broken on purpose")
"""


def new_project(folder, hole):
    project = copy_with_small_data(folder)
    job = folder / JOB
    assert WORK in job.read_text()
    job.write_text(job.read_text().replace(WORK, FAILURE + WORK))
    world.add_forms(folder)
    for file, text, new in HOLES[hole].edits if hole else ():
        path = folder / file
        assert text in path.read_text(), f"{file} has no {text!r}"
        path.write_text(path.read_text().replace(text, new))
    return project


class Walk:
    """The long-lived project, and what is known of it."""

    def __init__(self, folder, seed, hole=None):
        self.folder, self.random = Path(folder), random.Random(seed)
        self.fresh = Fresh(self.folder, hole)
        self.project = new_project(self.folder / "project 0", hole)
        self.pristine = world.read_pristine(self.project.folder)
        self.state, self.earlier, self.moves, self.done = State(), [], 0, ""
        # Few states, so that most of the time goes into what happens between them.
        own = [name for name in world.CONFIGS if name.startswith("own")]
        others = [name for name in world.CONFIGS if name not in own]
        self.own = self.random.sample(own, 1)
        self.configs = [*self.own, *self.random.sample(others, 6)]
        self.edits = self.random.sample(list(world.EDITS), 5)
        world.put(self.project, self.state, self.pristine)
        self.trained = {}  # {path of a checkpoint: (State.trained_with, content)}
        self.saved = None  # (folder, trained) of results that were set aside
        self.operations = {
            self.edit_settings: 6,
            self.edit_code: 5,
            self.edit_data: 2,
            self.undo: 6,
            self.kill: 5,
            self.delete_files: 6,
            self.delete_folder: 2,
            self.delete_records: 3,
            self.delete_snakemake: 3,
            self.touch: 4,
            self.override: 3,
            self.ask_for_one_result: 4,
            self.ask_for_a_part: 3,
            self.force: 2,
            self.accept: 3,
            self.damage: 3,
            self.fail: 4,
            self.diverge: 2,
            self.copy: 2,
            self.prune: 2,
            self.save_or_restore: 3,
        }
        if hole:
            self.own = self.configs = HOLES[hole].configs
            self.edits = HOLES[hole].code_edits
            self.operations = {getattr(self, name): 1 for name in HOLES[hole].operations}

    # ---- Steps.

    def step(self):
        """Do something (two things now and then) and see that all is right after one more run."""
        self.done = ""
        names, weights = zip(*self.operations.items())
        for operation in self.random.choices(names, weights, k=self.random.choice([1, 1, 2])):
            self.say(operation.__name__)
            operation()
        self.say(str(self.state))
        self.check()

    def say(self, text):
        self.done += f" {text}"

    def check(self):
        expected, before = self.fresh(self.state), results(self.project)
        kept = {
            name
            for name, made in self.trained.items()
            if made == (self.state.trained_with, before.get(name)) and self.has_record(name)
        }
        code, output = self.run()
        if code:
            self.complain(f"the run fails:\n{output}")
        found = results(self.project)
        for name, value in expected.items():
            if name not in found:
                self.complain(f"{name} is missing\n{output}")
            if found[name] != value:
                self.complain(f"{name} is not what a fresh run makes\n{output}")
        spared = set(re.findall(r"results/(runs/\S+\.npz)", output))  # "the same as before: ..."
        for run, epoch in re.findall(r"Training (\S+) to epoch (\d+)", output):
            if f"runs/{run}/checkpoints/epoch-{epoch}.npz" in kept - spared:
                self.complain(f"{run} was trained to epoch {epoch}, which was there\n{output}")
        if "Nothing to be done" not in output:
            self.check_closing_table(output)
        code, plan = forked.run(self.project.folder, "--dry-run")
        if code or "Nothing to be done" not in plan:
            self.complain(f"after the run more is planned:\n{plan}")
        self.trained |= {
            name: (self.state.trained_with, found[name])
            for name in expected
            if name.endswith(".npz")
        }

    def check_closing_table(self, output):
        rows = read_csv(self.project.results / "summary.csv")
        lines = [" ".join(line.split()) for line in output.splitlines()]
        for row in rows if not self.state.is_sweep else []:
            accuracy = f"{float(row['test_accuracy']):.4f}"
            if not any(line.startswith(row["folder"]) and accuracy in line for line in lines):
                self.complain(f"the closing table does not show {row['folder']}\n{output}")
        if not any(line.startswith("Reused:") for line in lines):
            self.complain(f"there is no closing table\n{output}")

    def has_record(self, checkpoint):
        """Whether what else belongs to a checkpoint is there, its record and traces too."""
        path = self.project.results / checkpoint
        record = path.with_name(f".{path.name}.record")
        if not (path.with_suffix(".json").exists() and record.exists()):
            return False
        known = json.loads(record.read_text())
        traces = [self.project.results / f".traces/{name}.json" for name in known["own"]]
        traces += [self.project.results / f".traces/{name}.json" for name in known["inherited"]]
        # Of results that were accepted without their traces, all code counts.
        return all(path.exists() and "/**.py" not in path.read_text() for path in traces)

    def complain(self, what):
        raise DiscrepancyError(f"after{self.done}: {what}")

    # ---- What is done to the project. `run` is a run that may end in any way.

    def run(self, *arguments):
        before = self.stamps()
        code, output = forked.run(self.project.folder, *arguments)
        self.forget_changed(before)
        return code, output

    def run_tool(self, name, *arguments):
        """Run one of workflow/tools, which must succeed."""
        command = [sys.executable, f"workflow/tools/{name}", *arguments]
        process = subprocess.run(
            command, cwd=self.project.folder, capture_output=True, text=True, check=False
        )
        if process.returncode:
            self.complain(f"{name} fails: {process.stdout}{process.stderr}")

    def stamps(self):
        """{path: what changes when a checkpoint is made again, with any content}."""
        found = {}
        for path in self.project.results.rglob("checkpoints/*.npz"):
            status = path.stat()
            name = path.relative_to(self.project.results).as_posix()
            found[name] = status.st_ino, status.st_mtime_ns
        return found

    def forget_changed(self, before):
        """Forget trainings whose checkpoints were made again outside of a whole run."""
        now = self.stamps()
        for name in list(self.trained):
            if before.get(name) != now.get(name):
                del self.trained[name]

    def go(self, state):
        self.earlier.append(self.state)
        self.state = state
        world.put(self.project, state, self.pristine)

    def edit_settings(self):
        config = self.random.choice(self.configs)
        self.go(State(config, self.state.edit, self.state.data))

    def edit_code(self):
        edit = self.random.choice([None, *self.edits])
        self.go(State(self.state.config, edit, self.state.data))

    def edit_data(self):
        config = self.random.choice(self.own)
        self.go(State(config, self.state.edit, 1 - self.state.data))

    def undo(self):
        if self.earlier:
            self.go(self.random.choice(self.earlier[-4:]))

    def kill(self):
        self.random.choice([self.edit_settings, self.edit_code, self.delete_files, self.undo])()
        before = self.stamps()
        whole_group = self.random.random() < 0.5
        forked.run_and_kill(self.project.folder, self.random.uniform(0.5, 4), whole_group)
        wait_for_jobs(self.project)
        self.forget_changed(before)

    def some_files(self, hidden=False):
        """Some results, or records."""
        files = [
            path
            for path in sorted(self.project.results.rglob("*"))
            if path.is_file() and ("/." in str(path)) == hidden
        ]
        return self.random.sample(files, min(len(files), self.random.choice([1, 1, 2, 5])))

    def delete_files(self):
        latest = self.project.results / "latest"
        if self.random.random() < 0.3 and latest.is_symlink():
            latest.unlink()
        for path in self.some_files():
            path.unlink(missing_ok=True)

    def delete_folder(self):
        folders = [
            path
            for path in sorted(self.project.results.rglob("*"))
            if path.is_dir() and not path.is_symlink()
        ]
        if folders:
            shutil.rmtree(self.random.choice([*folders, self.project.results]))

    def delete_records(self):
        for path in self.some_files(hidden=True):
            path.unlink()

    def delete_snakemake(self):
        shutil.rmtree(self.project.folder / ".snakemake", ignore_errors=True)

    def touch(self):
        """Give some files, or all, another time: now, long ago, or to come."""
        moment = time.time() + self.random.choice([0, -3600, -1e8, 3600, 1e8])
        folder = self.random.choice([self.project.folder, self.project.results])
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        some = self.random.sample(files, min(len(files), 9))
        for path in self.random.choice([files, some, [self.project.folder / "own.npz"]]):
            os.utime(path, (moment, moment))

    def override(self):
        option = self.random.choice(
            [
                "training={learning_rate: 0.3}",
                "plots={style: dark_background}",
                "training={epochs: 5}",
            ]
        )
        self.run("--config", option)

    def ask_for_one_result(self):
        """Run for one of the results alone, after an edit now and then."""
        self.random.choice([self.edit_settings, self.edit_code, self.undo, lambda: None])()
        names = sorted(name for name in self.fresh(self.state) if name != "latest")
        self.run(f"results/{self.random.choice(names)}")

    def ask_for_a_part(self):
        self.random.choice([self.edit_settings, self.edit_code, self.undo, lambda: None])()
        stage = self.random.choice(["preprocess", "train", "evaluate", "summarize"])
        self.run(self.random.choice(["--until", "--omit-from"]), stage)

    def force(self):
        stage = self.random.choice(["download", "train", "evaluate", "plot_history", "summarize"])
        self.run("--forcerun", stage, *self.random.choice([(), ("--dry-run",)]))
        self.trained.clear()

    def accept(self):
        """Declare the results good after an edit of code that changes none of them."""
        if self.state.edit and self.state.edit not in world.HARMLESS_EDITS:
            return
        self.run()
        self.go(replace(self.state, edit=self.random.choice(sorted(world.HARMLESS_EDITS))))
        code, output = forked.run(self.project.folder, "--touch")
        if code:
            self.complain(f"--touch fails:\n{output}")
        found = results(self.project)
        self.trained |= {
            name: (self.state.trained_with, found.get(name))
            for name in self.fresh(self.state)
            if name.endswith(".npz") and self.has_chain(name)
        }

    def has_chain(self, checkpoint):
        """Whether the regular checkpoints before one are there: otherwise it is not accepted."""
        every = self.state.settings.get("training", {}).get("checkpoint_every")
        epoch = re.search(r"epoch-(\d+)\.npz", checkpoint)
        earlier = range(every, int(epoch[1]), every) if every and epoch else ()
        path = self.project.results / checkpoint
        return all(path.with_name(f"epoch-{each:04}.npz").exists() for each in earlier)

    def damage(self):
        """Change a byte of some results, with time and size kept: all of them are named."""
        files = [path for path in self.some_files() if path.stat().st_size and self.is_output(path)]
        for path in files:
            status, content = path.stat(), bytearray(path.read_bytes())
            content[self.random.randrange(len(content))] ^= 1
            path.write_bytes(content)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        command = [sys.executable, "-m", "snakefresh", "check", "results"]
        environment = os.environ | {"PYTHONPATH": str(self.project.folder / "workflow/scripts")}
        process = subprocess.run(
            command,
            cwd=self.project.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        for path in files:
            name = path.relative_to(self.project.folder)
            if not re.search(rf"^{re.escape(str(name))} is damaged", process.stdout, re.M):
                self.complain(f"{name} is damaged, and check says: {process.stdout}")
            path.unlink()

    def is_output(self, path):
        """Whether a record names a file as an output."""
        name = str(path.relative_to(self.project.folder))
        records = self.project.results.rglob(".*.record")
        return any(name in json.loads(record.read_text())["outputs"] for record in records)

    def fail(self):
        """Let a stage fail, as it may for a reason that no record knows of."""
        self.random.choice([self.edit_settings, self.edit_code, self.delete_files, self.undo])()
        stage = self.random.choice(["preprocess", "train", "evaluate", "plot_weights", "summarize"])
        os.environ["FAIL"] = stage
        try:
            self.run()
        finally:
            del os.environ["FAIL"]

    def diverge(self):
        """Run a sweep of which one run fails, and go back."""
        self.project.configure(world.DIVERGING)
        code, output = self.run()
        if code != 1 or "training diverged" not in output:
            self.complain(f"a sweep that diverges does not fail:\n{output}")
        world.put(self.project, self.state, self.pristine)

    def copy(self):
        """Go on in a copy, with or without what Snakemake knows."""
        self.moves += 1
        old, new = self.project.folder, self.folder / f"project {self.moves}"
        function = self.random.choice([shutil.copy, shutil.copy2])
        without = self.random.choice([(), (".snakemake",)])
        ignore = shutil.ignore_patterns(*without)
        shutil.copytree(old, new, symlinks=True, copy_function=function, ignore=ignore)
        shutil.rmtree(old)
        self.project = Project(new)

    def prune(self):
        before = self.stamps()
        self.run_tool("prune.py", "config.yaml", "--delete")
        self.forget_changed(before)

    def save_or_restore(self):
        """Set a copy of the results aside, or put it back in the place of the present ones."""
        if self.saved:
            folder, self.trained = self.saved
            shutil.rmtree(self.project.results, ignore_errors=True)
            folder.rename(self.project.results)
            self.saved = None
        elif self.project.results.exists():
            folder = self.folder / "saved"
            shutil.copytree(self.project.results, folder, symlinks=True)
            self.saved = folder, dict(self.trained)


def walk(steps, seed, hole=None):
    """Take so many steps; returns the number of steps that were right before a discrepancy."""
    with TemporaryDirectory(prefix="walk-") as folder:
        walked = Walk(folder, seed, hole)
        started = time.monotonic()
        for i in range(1, steps + 1):
            try:
                walked.step()
            except DiscrepancyError as error:
                print(f"seed {seed}, step {i}: {error}", flush=True)
                return i - 1
            seconds = time.monotonic() - started
            print(f"seed {seed}, step {i}, {seconds:.0f} s:{walked.done}", flush=True)
    return steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hole", choices=sorted(HOLES))
    arguments = parser.parse_args()
    right = walk(arguments.steps, arguments.seed, arguments.hole)
    if right < arguments.steps:
        sys.exit(1)
    print(f"{right} steps without a discrepancy")


if __name__ == "__main__":
    main()
