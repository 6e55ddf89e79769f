"""The memory of each stage, and whether it grows with the images."""

import json
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from pipelines import new_folder
from project import copy_workflow
from timing import RAW


def memory(times=10, epochs=5):
    """Return the memory of each stage in MiB and its seconds, with MNIST and with more images.

    The result is {stage: {"1 x": {"peak": ..., "own": ..., "seconds": ...}, "10 x": ...}}. Of the
    peak, "own" is what the stage allocated. The rest are libraries and pages of files that are
    mapped, which the system takes back when it needs them.
    """
    measured = {}
    for n in (1, times):
        folder = new_folder()
        made = copy_workflow(folder)
        raw = folder / "images"
        raw.mkdir()
        for half in ("train", "t10k"):
            for kind, dims in (("images-idx3", 3), ("labels-idx1", 1)):
                repeat_idx(RAW / f"{half}-{kind}-ubyte", raw / f"{half}-{kind}-ubyte", dims, n)
        settings = {"dataset": "images", "training": {"epochs": epochs}}
        (folder / "config.yaml").write_text(json.dumps(settings))
        with watched(folder) as stages:
            made.run("--cores", 1)
        for path in (made.results / "benchmarks").rglob("*.tsv"):
            stage = path.relative_to(made.results / "benchmarks").parts[0].removesuffix(".tsv")
            seconds = float(path.read_text().splitlines()[1].split("\t")[0])
            measured.setdefault(stage, {})[f"{n} x"] = stages[stage] | {"seconds": seconds}
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
