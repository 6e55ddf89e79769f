"""Whatever code a stage runs is in its fingerprint; code that it cannot reach is not.

The real scripts run under a tracer. Nothing that it sees may be missing from the parts of the code
that the fingerprint has.
"""

import ast
import json
import re
import shutil
from functools import cache

import numpy as np
import pytest
from PIL import Image

from project import CHECKOUT, copy_with_small_data, share_project, write_own_npz
from scratchnet.fingerprint.code import Library
from scratchnet.planning.stages import STAGES

pytestmark = pytest.mark.slow

SCRIPTS = CHECKOUT / "workflow" / "scripts"
DEEP = {
    "dataset": "own.npz",
    "validation_fraction": 0.25,
    "model": {
        "convolutions": [{"filters": 3, "kernel": 3, "padding": "same", "pool": 2}],
        "hidden": [5],
        "dropout": 0.2,
    },
    "augmentation": {"rotation": 10, "elastic": 3},
    "training": {
        **{"epochs": 4, "batch_size": 25, "optimizer": "adam", "schedule": "cosine"},
        **{"patience": 2, "weight_decay": 0.001, "checkpoint_every": 2},
    },
}
SWEEP = {
    "model": {"hidden": [4], "activation": "tanh"},
    "training": {"epochs": 4, "schedule": "step", "momentum": 0.9},
    "sweep": {"training.seed": [0, 1], "validation_fraction": [0.25]},
}
SEARCH = {
    "validation_fraction": 0.25,
    "search": {
        "trials": 3,
        "space": {
            "training.learning_rate": {"choice": [0.1, 1e30]},
            "training.weight_decay": {"log_uniform": [0.001, 0.1]},
            "model.hidden": {"choice": [[5], []]},
        },
        "epochs": [1, 2],
        "seed": 2,  # one of the trials diverges
    },
}


def definitions(file):
    """The definitions in a file of Python: {name: (first line, last line)}."""
    found = {}
    for node in ast.parse(file.read_text()).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = first, node.end_lineno
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = first, node.end_lineno
    return found


LIBRARY = {
    path.relative_to(SCRIPTS).as_posix(): definitions(path)
    for path in sorted((SCRIPTS / "scratchnet").rglob("*.py"))
}
EVERY = [f"{path}:{name}" for path, found in LIBRARY.items() for name in found]
WHOLE_MODULES = {"make_lesson"}  # it names no definitions: those that it runs are in a notebook
# What a module does when it is imported counts with its statements; a decorator is called then.
AT_IMPORT = {
    *("scratchnet/data/registry.py:DATASETS", "scratchnet/predict/demo.py:PAGE"),
    "scratchnet/training/segments.py:train_to_checkpoint",
}


def make_traced(folder):
    """Run all stages under the tracer; write what each called to traced.json."""
    traces = folder.with_name("traces")
    traces.mkdir(parents=True)
    tracing = {"TRACES": str(traces), "PYTHONPATH": str(CHECKOUT / "tests/helpers/tracing")}
    project = copy_with_small_data(folder)
    write_own_npz(folder / "own.npz")
    images = folder / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    for name, size in (("one", (6, 5)), ("two", (60, 50))):
        Image.fromarray(rng.integers(0, 256, size, np.uint8)).save(images / f"{name}.png")
    everything = ("all", "demo", "lesson", "parity", "export")
    for settings, targets in (
        *(({}, everything), (DEEP, everything)),
        *((SWEEP, ("all", "plots")), (SEARCH, ("all",))),
    ):
        project.configure(settings)
        project.run(*targets, env=tracing)
    project.configure({"predict": {"images": "images"}})
    project.run(env=tracing)
    project.run("predict", env=tracing)
    called = {stage: set() for stage in STAGES}
    for file in traces.glob("*.json"):
        trace = json.loads(file.read_text())
        stage = re.sub(r"^tmp\w+\.|\.py$", "", trace["script"])
        if stage in called:
            called[stage] |= {
                (file.split("workflow/scripts/")[1], line)
                for file, line in trace["called"]
                if "workflow/scripts/scratchnet/" in file
            }
    shutil.rmtree(traces)
    table = {
        stage: sorted(
            f"{path}:{name}"
            for path, line in found
            for name, (first, last) in LIBRARY[path].items()
            if first <= line <= last and line > 1
        )
        for stage, found in called.items()
    }
    (folder / "traced.json").write_text(json.dumps(table))


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """The definitions that each stage was seen to run: {stage: {"path:name", ...}}."""
    project = share_project(tmp_path_factory, "traced", make_traced)
    table = json.loads((project.folder / "traced.json").read_text())
    return {stage: set(found) for stage, found in table.items()}


def parts_of_stages(scripts=SCRIPTS):
    library = Library(scripts, ("scratchnet",))
    return {stage: library.read_code(f"{stage}.py").parts for stage in STAGES}


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_runs_is_in_its_fingerprint(traced, stage):
    assert "scratchnet/job.py:stage_job" in traced[stage]
    assert traced[stage] - AT_IMPORT - parts_of_stages()[stage].keys() == set()


TEXTS = {
    f"{path}:{name}": "\n".join((SCRIPTS / path).read_text().splitlines()[first - 1 : last])
    for path, found in LIBRARY.items()
    for name, (first, last) in found.items()
}


@cache
def words_reached(stage):
    """All definitions whose names occur in the text of the script, or of such a definition."""
    found, waiting = set(), [(SCRIPTS / f"{stage}.py").read_text()]
    while waiting:
        words = set(re.findall(r"\w+", waiting.pop()))
        new = {part for part in TEXTS.keys() - found if part.rsplit(":", 1)[1] in words}
        found |= new
        waiting += [TEXTS[part] for part in new]
    return found


def edited(source, name):
    """The source of a module in which a definition does something else."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            node.body.insert(0, ast.parse("raise SystemError").body[0])
        elif isinstance(node, ast.ClassDef) and node.name == name:
            node.body.append(ast.parse("edited = True").body[0])
        elif isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
            node.value = ast.Tuple([node.value], ast.Load())
    return ast.unparse(tree)


@pytest.mark.parametrize("path", [path for path in LIBRARY if LIBRARY[path]])
def test_an_edited_definition_is_seen_by_the_stages_that_reach_it(traced, tmp_path, path):
    """At least those that were seen to run it, and none whose code never mentions it."""
    scripts = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    before, source = parts_of_stages(), (SCRIPTS / path).read_text()
    mentioned = {stage: words_reached(stage) for stage in STAGES}
    for name in LIBRARY[path]:
        (scripts / path).write_text(edited(source, name))
        after = parts_of_stages(scripts)
        found = {stage for stage in STAGES if before[stage] != after[stage]}
        part = f"{path}:{name}"
        assert found >= {stage for stage in STAGES if part in traced[stage]}, part
        if part not in AT_IMPORT:
            mentioning = {stage for stage in STAGES if part in mentioned[stage]}
            assert found <= mentioning | WHOLE_MODULES, part
