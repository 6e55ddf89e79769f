"""Times the pipeline side by side with what its users would pick instead.

    python tests/benchmarks/bench.py [--work softmax mlp clean ...] [--rounds N]

writes results/benchmarks/peers.json (all that was measured), peers.md (to read) and peers.png.
Whatever is compared takes turns in one call, several rounds of it: machines are noisy, so ratios of
medians count. A work that is left out keeps the figures of the call before.
"""

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "helpers"), str(HERE.parents[1] / "workflow" / "scripts")]

import report  # noqa: E402
from project import copy_workflow  # noqa: E402

CHECKOUT = HERE.parents[1]
RAW = CHECKOUT / "results" / "data" / "mnist"
RESULTS = CHECKOUT / "results" / "benchmarks"
CORES = sorted(os.sched_getaffinity(0))[:2]

CONTENDERS = (
    *("scratchnet", "limit", "pytorch", "pytorch_by_hand", "jax", "tensorflow"),
    *("keras", "scikit_learn", "notebook"),
)
SETTINGS = {"one core": CORES[:1], "two cores": CORES}
LENET_5 = [
    {"filters": 6, "kernel": 5, "pool": 2, "padding": "same"},
    {"filters": 16, "kernel": 5, "pool": 2, "padding": "valid"},
]
KERAS_CONVNET = [
    {"filters": 32, "kernel": 3, "pool": 2, "padding": "valid"},
    {"filters": 64, "kernel": 3, "pool": 2, "padding": "valid"},
]
LEARNING_RATES = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5]
SEEDS = [0, 1, 2, 3]


class Worker:
    """A contender in a process of its own, on `cores`; see contenders.py."""

    def __init__(self, name, arrays, batch_size, cores, convolutions=()):
        threads = str(len(cores))
        self.process = subprocess.Popen(
            [
                *(sys.executable, HERE / "contenders.py", name),
                *("--batch_size", str(batch_size), "--cores", *map(str, cores)),
                *("--convolutions", json.dumps(list(convolutions))),
            ],
            env=environment(OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
            | {"PYTHONPATH": str(CHECKOUT / "workflow" / "scripts")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.tell(str(arrays))

    def tell(self, command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def begin(self, widths, seed, learning_rate):
        self.tell({"weights": seed, "widths": widths, "learning_rate": learning_rate})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def environment(**variables):
    """The environment of a process: without this one's threads, and TensorFlow without its talk.

    Where OpenBLAS is told to do without AVX-512, TensorFlow's products do without it, too: both
    then have the same instructions, on any machine.
    """
    if os.environ.get("OPENBLAS_CORETYPE", "").lower() in ("haswell", "zen"):
        variables = {"ONEDNN_MAX_CPU_ISA": "AVX2"} | variables
    return os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"} | variables


def train(widths, batch_size, rounds, names=CONTENDERS, settings=SETTINGS, convolutions=()):
    """An epoch of each contender on one core, and on two: {"one core": {name: seconds}, ...}."""
    measured = {}
    for label, cores in settings.items():
        with ExitStack() as stack:
            workers = {}
            for name in names:
                worker = Worker(name, prepared().arrays, batch_size, cores, convolutions)
                workers[name] = stack.enter_context(worker)
                assert worker.answer() == "ready"
                worker.begin(widths, seed=0, learning_rate=0.01)
            seconds, losses = {name: [] for name in workers}, {name: [] for name in workers}
            for round in range(rounds + 1):  # the first one warms up
                for name, worker in workers.items():
                    worker.tell({"epochs": 1})
                    answer = worker.answer()
                    losses[name].append(answer["loss"])
                    if round:
                        seconds[name].append(answer["seconds"])
        # The order of the images, which is each one's own, matters more to convolutions.
        check_losses(losses, 0.1 if convolutions else 0.02)
        measured[label] = seconds
    return measured


def convolve(convolutions, widths, batch_size, peers, rounds):
    """An epoch of a convolutional network, on one core; "augmented" is ours with distortions."""
    one = {"one core": CORES[:1]}
    return train(widths, batch_size, rounds, ("scratchnet", *peers), one, convolutions)


def check_losses(losses, tolerance=0.02):
    """Nobody wins by doing less: after the same epochs all must have come to the same loss."""
    for name, values in losses.items():
        for ours, theirs in zip(losses["scratchnet"], values):
            if theirs is not None and abs(ours - theirs) > tolerance * ours:
                raise SystemExit(f"{name} came to a loss of {theirs}, scratchnet to {ours}")


class Prepared:
    """The workflow in a folder, run to its end; `arrays` is the folder of the prepared data."""

    def __init__(self, folder, settings):
        self.project = copy_workflow(Path(folder))
        self.configure(settings)
        raw = self.project.results / "data" / "mnist"
        raw.mkdir(parents=True)
        for path in RAW.iterdir():
            shutil.copy(path, raw)

    def configure(self, settings):
        (self.project.folder / "config.yaml").write_text(json.dumps(settings))

    def run(self, *arguments):
        return self.project.run("--cores", len(CORES), *arguments)

    def forget_all_but_raw_files(self):
        for path in self.project.results.iterdir():
            if path.name != "data":
                path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
        for path in (self.project.results / "data").glob("mnist-*"):
            shutil.rmtree(path)
        shutil.rmtree(self.project.folder / ".snakemake", ignore_errors=True)

    @property
    def arrays(self):
        (folder,) = (self.project.results / "data").glob("mnist-*")
        return folder


SCRATCH = tempfile.TemporaryDirectory(prefix="bench-")
_prepared = []


def prepared():
    """The default workflow, run to its end once."""
    if not _prepared:
        made = Prepared(Path(SCRATCH.name) / "default", {})
        made.run()
        _prepared.append(made)
    return _prepared[0]


def seconds_of(command, **options):
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment(), **options)
    return time.perf_counter() - started


def snakemake(folder, *arguments):
    cores = str(len(CORES))
    command = [sys.executable, "-m", "snakemake", "--cores", cores, *map(str, arguments)]
    return seconds_of(command, cwd=folder)


def clean(rounds, names=("scratchnet", "pytorch", "keras")):
    """From the raw files to the pictures: the pipeline, and scripts of one file."""
    project = prepared()
    measured = {name: [] for name in names}
    losses = {}
    for round in range(rounds + 1):
        for name in measured:
            if name == "scratchnet":
                project.forget_all_but_raw_files()
                seconds = snakemake(project.project.folder)
                (metrics,) = project.project.results.glob("runs/*/epoch-0020/metrics.json")
            else:
                out = Path(SCRATCH.name) / name
                out.mkdir(exist_ok=True)
                script = HERE / f"{name}_script.py"
                raw = project.project.results / "data" / "mnist"
                seconds = seconds_of([sys.executable, script, raw, out], cwd=SCRATCH.name)
                metrics = out / "metrics.json"
            losses.setdefault(name, []).append(json.loads(metrics.read_text())["train_loss"])
            if round:
                measured[name].append(seconds)
    check_losses(losses)
    return measured


def sweep(rounds):
    """32 runs of 20 epochs. Ours from the raw files to the tables and pictures that compare them,
    each run tested; the others only train, on arrays that are there, a process on each core.
    """
    points = list(itertools.product(LEARNING_RATES, SEEDS))
    made = Prepared(
        Path(SCRATCH.name) / "sweep",
        {
            "model": {"initializer": "glorot_uniform"},
            "sweep": {"training.learning_rate": LEARNING_RATES, "training.seed": SEEDS},
        },
    )
    measured, losses = {}, {}
    for _ in range(rounds):
        made.forget_all_but_raw_files()
        measured.setdefault("scratchnet", []).append(snakemake(made.project.folder))
        found = {}
        for metrics in made.project.results.glob("runs/*/epoch-0020/metrics.json"):
            found[metrics.parents[1].name] = json.loads(metrics.read_text())["train_loss"]
        losses["scratchnet"] = sorted(found.values())
        for name in ("pytorch", "pytorch_by_hand", "jax", "tensorflow"):
            started, answers = time.perf_counter(), []
            with ExitStack() as stack:
                shares = []
                for i, core in enumerate(CORES):
                    worker = stack.enter_context(Worker(name, prepared().arrays, 200, [core]))
                    for learning_rate, seed in points[i :: len(CORES)]:
                        worker.begin([], seed, learning_rate)
                        worker.tell({"epochs": 20})
                    shares.append(worker)
                for i, worker in enumerate(shares):
                    assert worker.answer() == "ready"
                    answers += [worker.answer()["loss"] for _ in points[i :: len(CORES)]]
            measured.setdefault(name, []).append(time.perf_counter() - started)
            losses[name] = sorted(answers)
    check_losses(losses)
    return measured


def idle(rounds):
    """Nothing to do, and Snakemake with an empty workflow."""
    empty = Path(SCRATCH.name) / "empty"
    empty.mkdir(exist_ok=True)
    (empty / "Snakefile").write_text("")
    project = prepared().project
    project.run()
    folders = {"scratchnet": project.folder, "an empty Snakefile": empty}
    measured = {name: [] for name in folders}
    for round in range(rounds + 1):
        for name, folder in folders.items():
            seconds = snakemake(folder)
            if round:
                measured[name].append(seconds)
    return measured


def planning(rounds, sizes=(1, 100, 1000)):
    """What a dry run takes for so many runs of which none is done."""
    made = Prepared(Path(tempfile.mkdtemp(dir=SCRATCH.name)), {})
    measured = {}
    for _ in range(rounds):
        for n in sizes:
            sweep = {"sweep": {"training.seed": list(range(n))}} if n > 1 else {}
            made.configure(sweep)
            seconds = snakemake(made.project.folder, "--dry-run")
            measured.setdefault(f"{n} runs", []).append(seconds)
    return measured


def memory(rounds):
    """The memory of each stage in MiB, and its seconds, with MNIST and with ten times as much.

    Of the peak, "own" is what the stage allocated. The rest are libraries and pages of files that
    are mapped, which the system takes back when it needs them.
    """
    measured = {}
    for label, times in (("1 x", 1), ("10 x", 10)):
        folder = Path(SCRATCH.name) / f"memory {times}"
        made = copy_workflow(folder)
        raw = folder / "images"
        raw.mkdir()
        for half in ("train", "t10k"):
            for kind, dims in (("images-idx3", 3), ("labels-idx1", 1)):
                repeat_idx(RAW / f"{half}-{kind}-ubyte", raw / f"{half}-{kind}-ubyte", dims, times)
        settings = {"dataset": "images", "training": {"epochs": 5}}
        (folder / "config.yaml").write_text(json.dumps(settings))
        with watched(folder) as stages:
            made.run("--cores", 1)
        for path in (made.results / "benchmarks").rglob("*.tsv"):
            stage = path.relative_to(made.results / "benchmarks").parts[0].removesuffix(".tsv")
            seconds = float(path.read_text().splitlines()[1].split("\t")[0])
            measured.setdefault(stage, {})[label] = stages[stage] | {"seconds": seconds}
        shutil.rmtree(folder)
    return measured


def repeat_idx(source, target, dims, times):
    """Write the IDX file `source` with its samples so many times over."""
    content = source.read_bytes()
    header, samples = bytearray(content[: 4 + 4 * dims]), content[4 + 4 * dims :]
    header[4:8] = (times * int.from_bytes(header[4:8], "big")).to_bytes(4, "big")
    with target.open("wb") as file:
        file.write(header)
        for _ in range(times):
            file.write(samples)


@contextmanager
def watched(folder):
    """Yield {stage: {"peak": MiB, "own": MiB}}, filled with what scripts in `folder` take."""
    stages, done = {}, threading.Event()

    def look():
        while not done.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    if (process / "cwd").resolve() != folder.resolve():
                        continue
                    command = (process / "cmdline").read_text().split("\0")
                    script = next((part for part in command if "/scripts/tmp" in part), None)
                    status = (process / "status").read_text()
                except OSError:
                    continue
                if script and command[0].endswith("python"):
                    stage = Path(script).stem.split(".")[-1]
                    peak = stages.setdefault(stage, {"peak": 0, "own": 0})
                    for kind, field in (("peak", "VmHWM:"), ("own", "RssAnon:")):
                        if field in status:
                            kib = int(status.split(field)[1].split()[0])
                            peak[kind] = max(peak[kind], kib / 1024)
            time.sleep(0.005)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield stages
    finally:
        done.set()
        thread.join()


def main():
    works = {
        "softmax": lambda n: train([], 200, n),
        "mlp": lambda n: train([128], 128, n),
        "lenet": lambda n: convolve(LENET_5, [120, 84], 100, ("augmented", "pytorch", "keras"), n),
        "convnet": lambda n: convolve(KERAS_CONVNET, [], 128, ("keras",), max(1, n // 3)),
        "clean": clean,
        "sweep": lambda n: sweep(max(1, n // 3)),
        "idle": idle,
        "planning": lambda n: planning(max(1, n // 3)),
        "memory": memory,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", nargs="+", choices=works, default=list(works))
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if not RAW.exists():
        sys.exit(f"{RAW} is not there: the benchmarks use what `make run` has downloaded")
    RESULTS.mkdir(parents=True, exist_ok=True)
    record = RESULTS / "peers.json"
    measured = json.loads(record.read_text()) if record.exists() else {}
    for work in arguments.work:
        started = time.perf_counter()
        print(f"{work} ... ", end="", flush=True)
        measured[work] = works[work](arguments.rounds)
        print(f"{time.perf_counter() - started:.0f} s", flush=True)
        record.write_text(json.dumps(measured, indent=1))
    report.write(measured, RESULTS / "peers.md", RESULTS / "peers.png")
    print((RESULTS / "peers.md").read_text())


if __name__ == "__main__":
    main()
