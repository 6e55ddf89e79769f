"""Records: how a result was made, in a hidden file beside it; and the traces that they name.

The record of results/model.json is results/.model.json.record; a job with several outputs has one,
beside its first. It has
    "settings"   {key: value} that the stage reads
    "wiring"     its script or text, params, and the names of its inputs and outputs
    "upstream"   {input: identity of the result that it is of, or hash if no stage makes it}
    "inputs", "outputs"    {path: hash of the content}
    "temporary"  those of the outputs that are deleted when all is done
    "own", "inherited"     names of traces: of the job, and of all that its inputs were made from
Traces are in results/.traces, each once, named by their content.
"""

import json
import os
from contextlib import suppress
from pathlib import Path

from snakefresh.contents import digest, open_file, read_json, write

MAPPINGS, LISTS = (
    ("settings", "wiring", "upstream", "inputs", "outputs"),
    ("temporary", "own", "inherited"),
)
AGAIN, DAMAGED = "Run the command again.", "is damaged, or was edited by hand"
OF_WIRING = ("inputs", "params", "environment")  # those that are mappings


class RecordError(Exception):
    """A job cannot be recorded truthfully; the message says why, and what to do."""


def describe_damage(path):
    """Return a sentence about a file that is not what its record says, and what to do."""
    try:
        with open_file(path) as file:
            file.read(1)
    except OSError as error:
        if error.errno:
            return f"{path} cannot be read ({error.strerror}). If it stays so, delete it. {AGAIN}"
    return f"{path} {DAMAGED}: delete it. {AGAIN}"


def record_path(output):
    """Return the path of the record of a result, for the path of its first output."""
    output = Path(output)
    return str(output.with_name(f".{output.name}.record"))


def traces_folder(output):
    """Return where the traces of results are: below the first folder of the path of an output."""
    first, *others = Path(output).parts
    if os.path.isabs(output):
        return os.path.join(os.path.dirname(output), ".traces")
    return os.path.join(first, ".traces") if others else ".traces"


def identity(head):
    """Return what decides a result besides code, as one hash, for its plan or its record."""
    return digest([head["settings"], head["wiring"], head["upstream"]])


def read_record(path):
    """Return a record, or None where there is none, or what is there is none."""
    record = read_json(path)
    return record if _is_record(record) else None


def _is_record(value):
    return (
        isinstance(value, dict)
        and {*value} == {*MAPPINGS, *LISTS}
        and all(isinstance(value[key], dict) for key in MAPPINGS)
        and all(isinstance(value["wiring"].get(key), dict) for key in OF_WIRING)
        and all(map(_is_list_of_texts, map(value.get, LISTS)))
        and all(map(_is_list_of_texts, value["wiring"]["inputs"].values()))
    )


def _is_list_of_texts(value):
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def read_trace(folder, name):
    """Return a trace, or None if it is missing or damaged."""
    trace = read_json(os.path.join(folder, f"{name}.json"))
    return trace if isinstance(trace, dict) and digest(trace) == name else None


def write_trace(folder, trace):
    """Write a trace into a folder, unless it is there, undamaged; return its name."""
    name = digest(trace)
    if read_trace(folder, name) is None:
        write(Path(folder, f"{name}.json"), json.dumps(trace, sort_keys=True), durable=True)
    return name


def write_record(plan, inputs, outputs, own, makers):
    """Write the record of a result, the last of its files.

    `plan` is the result's, see Planner.plan_of_job. `inputs` and `outputs` are {path: hash}, `own`
    has names of traces, and `makers` {input: (record, folder of its traces)} of what was made by
    stages. Raises RecordError if a trace of these is missing.
    """
    inherited = {}
    for record, folder in makers.values():
        inherited |= dict.fromkeys([*record["own"], *record["inherited"]], folder)
    for name, folder in inherited.items():
        if folder != plan["traces"]:
            if (trace := read_trace(folder, name)) is None:
                raise RecordError(f"{folder}/{name}.json is missing: run the command again")
            write_trace(plan["traces"], trace)
    upstream = {
        path: identity(makers[path][0]) if path in makers else inputs[path]
        for path in plan["upstream"]
    }
    record = {
        **{key: plan[key] for key in ("settings", "wiring", "temporary")},
        "upstream": upstream,
        "inputs": inputs,
        "outputs": outputs,
        "own": sorted(own),
        "inherited": sorted({*inherited} - {*own}),
    }
    write(plan["record"], json.dumps(record, sort_keys=True), durable=True)


def delete_record(path):
    """Delete a record, if there is one."""
    with suppress(FileNotFoundError):
        os.unlink(path)
