"""Traces: what a job executed and read, and what of it is now.

A trace asks questions of the source and has their answers. It has
    "base"      the folder of the workflow, from the working directory
    "script"    the script of the job
    "folders"   the folders of code in which modules are looked up, in their order
    "files"     {file of code that was executed: hash of its bytes}
    "parts"     {part of these files that counts: its hash}, see code.py
    "modules"   {module that was looked up: the file in which it is found, or None}
    "data"      {path that was read or looked for: hash}; "folder/" for the names in a folder,
                "folder/**.py" for all Python files below it
    "config"    {key of Snakemake's config that was read, or "*" for all: hash}
    "accepted"  whether somebody declared the results good: then every function counts that is named

Paths are relative to the folder of the workflow; with "./" before them, to the working directory.
"""

import json
import os
import re
import sys
from pathlib import Path

from snakefresh.code import AS_TEXT, VERSION, Part, remembered_parts, select, words
from snakefresh.contents import content, digest, listing, open_file

ANSWERS = ("parts", "modules", "data", "config")
# Modules that the start of Python, or of the script, imports before the trace begins.
HERE = Path(__file__).resolve().parent
STANDARD_LIBRARY = os.path.dirname(os.path.realpath(os.__file__)) + os.sep
INSTALLED = re.compile(r"/(site|dist)-packages/")
IMPORTED_BEFORE = {*sys.stdlib_module_names, "sitecustomize", "usercustomize"}


class Place:
    """Where a trace is evaluated: the folder of the workflow, and its config."""

    def __init__(self, base, config=None):
        self.base, self.config = os.path.realpath(base), config or {}

    def answer_of_config(self, key):
        """Return what counts of a key of the config, or of all."""
        return answer_of_config(self.config if key == "*" else self.config.get(key))

    def is_below(self, folder):
        """Return whether the workflow, or the working directory, is below a folder."""
        top = os.path.join(os.path.realpath(folder), "")
        return any(
            os.path.join(os.path.realpath(each), "").startswith(top) for each in (self.base, ".")
        )

    def find(self, path):
        """Return where the path of a trace is."""
        return path if path.startswith("./") else os.path.join(self.base, path)

    def name(self, path):
        """Return the path of a trace for a path below the workflow or the working directory.

        Returns None elsewhere: files outside of the project do not count.
        """
        path, here = os.path.realpath(path), os.path.realpath(".")
        tops = [top for top in {self.base, here} if path.startswith(top + os.sep) or path == top]
        if not tops:
            return None
        top = max(tops, key=len)
        if path == self.base:
            return os.path.join("..", os.path.basename(path))
        return ("./" if top != self.base else "") + os.path.relpath(path, top)

    def name_code(self, path):
        """Return the path of a trace for a file or folder of code, which may be anywhere."""
        return os.path.relpath(os.path.realpath(path), self.base)


def present(trace, place, loaded=None):
    """Return the trace with the same questions and the present answers.

    `loaded` has what has been read already, as it was then: {file: bytes}, {path of data: hash}
    and {key of the config: hash}.
    """
    sources, data, read = loaded or ({}, {}, {})
    sources = {
        file: sources[file] if file in sources else _read(place.find(file))
        for file in trace["files"]
    }
    now = {
        "version": VERSION,
        **{key: trace[key] for key in ("base", "script", "folders", "accepted")},
        "files": {
            file: None if source is None else digest(source) for file, source in sources.items()
        },
        "modules": _find_modules(trace, place),
        "data": {
            path: data[path] if path in data else answer(path, place) for path in trace["data"]
        },
        "config": {
            key: read[key] if key in read else place.answer_of_config(key)
            for key in trace["config"]
        },
    }
    if trace.get("version") == VERSION and now["files"] == trace["files"]:
        return now | {"parts": trace["parts"]}
    return now | _count(trace, place, sources)


def answer_of_config(value):
    """Return what counts of a value in the config."""
    return digest(json.dumps(value, sort_keys=True, default=repr))


def is_code(path):
    """Whether a file is code of the workflow: neither installed nor of this package."""
    if not path.endswith((".py", ".so", ".pyd")) or is_installed(path):
        return False
    return not is_installed(os.path.realpath(path))


def is_installed(path):
    """Whether a path is below the standard library or installed packages, or of this package."""
    return path.startswith((f"{HERE}/", STANDARD_LIBRARY)) or INSTALLED.search(path) is not None


def differences(before, now):
    """Return the answers in which two traces differ, as [(section, question), ...]."""
    if before.get("version") != now["version"]:
        return [("version", "")]
    return [
        (section, key)
        for section in ANSWERS
        for key in sorted({*before[section], *now[section]})
        if before[section].get(key) != now[section].get(key)
    ]


def _count(trace, place, sources):
    """What counts in the present source: {"parts": ..., "files": ...}."""
    known = {file: source for file, source in sources.items() if source is not None}
    found = {file: _parts(file, source, trace) for file, source in known.items()}
    executed = {
        tuple(part.split(":", 1))
        for part in trace["parts"]
        if (name := part.partition(":")[2]) and name[0] not in "=?<"
    }
    accepted, modules = trace["accepted"], {}
    if accepted:  # what counting code names may be a module that it imports
        for path in {path for f in trace["folders"] for path in _python_files(place.find(f))}:
            stem = path.parent.name if path.name == "__init__.py" else path.stem
            modules.setdefault(stem, []).append(path)

    def more(name):
        files = {place.name_code(path): path.read_bytes() for path in modules.pop(name, ())}
        known.update(files)
        return {file: _parts(file, source, trace) for file, source in files.items()}

    counted, names = select(executed, trace["script"], found, more, whole=accepted)
    files = {file: digest(source) for file, source in known.items()}
    if names & AS_TEXT:
        counted |= files
    return {"parts": counted, "files": dict.fromkeys(trace["files"]) | files}


def _parts(file, source, trace):
    """The parts of a source text. One that this Python cannot parse counts as bytes."""
    try:
        return remembered_parts(source)
    except SyntaxError:
        own = {
            p.partition(":")[2]: h for p, h in trace["parts"].items() if p.startswith(f"{file}:")
        }
        if digest(source) != trace["files"].get(file):
            own = {"": digest(source)}
        return {name: Part(part, words(source)) for name, part in own.items()}


def _python_files(folder):
    """The Python files below a folder that are neither hidden nor installed, nor this package's."""
    found = []
    for where, folders, names in os.walk(folder):
        hidden = {name for name in folders if name[0] == "." or name == "site-packages"}
        folders[:] = sorted({*folders} - hidden) if Path(where, "").resolve() != HERE else []
        found += [Path(where, name) for name in sorted(names) if name.endswith(".py")]
    return [path for path in found if path.resolve().parent != HERE]


def _find_modules(trace, place):
    """{module: the file or folder in which it is found}, of what was looked up or hides others."""
    folders = {folder: _names(place.find(folder)) for folder in trace["folders"]}
    asked = {*trace["modules"], *(IMPORTED_BEFORE & {n for own in folders.values() for n in own})}
    return {module: _find_module(module, folders, place) for module in asked}


def _names(folder):
    """The names that modules in a folder have."""
    try:
        return {name.split(".")[0] for name in os.listdir(folder)}
    except OSError:
        return set()


def _find_module(module, folders, place):
    top, *inner = module.split(".")
    for folder, names in folders.items():
        if top in names:
            path = Path(folder, top, *inner)
            for each in (path / "__init__.py", path.with_name(f"{path.name}.py"), path):
                if Path(place.find(str(each))).exists():
                    return str(each)
    return None


def answer(path, place):
    """Return what counts of a path that was read, looked for or listed: see "data" above."""
    folder, _, pattern = path.rpartition("/")
    where = place.find(folder or ".")
    if pattern == "**.py":
        files = {os.path.relpath(each, where): content(each) for each in _python_files(where)}
        return digest(files)
    if path.endswith("/"):
        return listing(where)
    if os.path.isdir(place.find(path)):
        return "a folder"
    return content(place.find(path))


def _read(path):
    try:
        with open_file(path) as file:
            return file.read()
    except OSError:
        return None


def describe(section, question):
    """Return a difference in words, e.g. "model.py: fit" for a part of a file."""
    file, _, name = question.partition(":")
    if section == "parts":
        name = re.sub("^=", "", name).replace("?", "its last lines")
        return f"{os.path.basename(file)}: {name}" if name else file
    return {"modules": f"where {question} is found", "config": f"config[{question!r}]"}.get(
        section, question or "the version of snakefresh"
    )
