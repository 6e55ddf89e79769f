"""Stages: rules whose results have records, and what decides a result besides code."""

import copy
import json
import os
import re
import shlex
import sys
from contextlib import suppress

from snakemake.common import get_function_params
from snakemake.exceptions import WorkflowError
from snakemake.io import is_flagged
from snakemake.iocontainers import InputFiles, Params, Wildcards
from snakemake.sourcecache import LocalSourceFile, infer_source_file
from snakemake.utils import format as format_command

from snakefresh.code import remembered_parts
from snakefresh.contents import content, digest
from snakefresh.records import record_path, traces_folder
from snakefresh.traces import Place, answer, is_code

# What the command of a shell rule may name and differs from run to run.
OF_JOB = ("threads", "resources", "log", "jobid", "name", "rule", "rulename", "bench_iteration")
DIFFER_BY_RUN = {"threads", "resources", "attempt"}


class Result:
    """A result of a stage: the files of one job. `wildcards` is a dict."""

    def __init__(self, stage, wildcards):
        self.stage, self.wildcards, rule = stage, wildcards, stage.rule
        self.outputs = [str(output.apply_wildcards(wildcards)) for output in rule.output]
        self.kept = [  # the outputs that are there when all is done
            path for path, each in zip(self.outputs, rule.output) if not is_flagged(each, "temp")
        ]
        self.record, self.traces = record_path(self.outputs[0]), traces_folder(self.outputs[0])

    def exists(self):
        """Return whether all files are there. (The targets of links may come later.)"""
        return all(map(os.path.exists, self.kept)) and all(map(os.path.lexists, self.stage.links))


def by_name(files):
    """Return the inputs of a job as {name or "": [path, ...]}."""
    found = {}
    for name, item in files._allitems():
        found.setdefault(name or "", []).extend(map(str, [item] if isinstance(item, str) else item))
    return found


class Stage:
    """A rule whose results have records; `name` is its name without the prefix of a module.

    `settings` is a mapping, or a function of the wildcards; the stage reads the keys `reads` of it.
    """

    def __init__(self, name, rule, place, settings):
        self.name, self.rule, self.place, self._settings = name, rule, place, settings
        self.reads, self.links, self.environment = (), (), ()
        self.shortcuts, self.unaffected_by = frozenset(), frozenset()
        self.why_new = lambda name, wildcards: "no result yet"
        self.expand_input = rule.expand_input  # Snakemake's
        self._params = list(rule.params._allitems())  # without those of the engine
        self.is_python = str(rule.script or "").endswith(".py")
        # By the Snakefile, up to here.
        modules = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
        self._imported = [file for file in modules if is_code(file)] if rule.run_func_src else []

    def settings(self, wildcards):
        """Return the settings that the stage reads, {key: value}."""
        every = self._settings(wildcards) if callable(self._settings) else self._settings
        return json.loads(json.dumps({key: every[key] for key in self.reads if key in every}))

    def wiring(self, result, inputs):
        """Return what the rule says: its script or text, params, names of inputs and outputs."""
        wildcards = result.wildcards
        own = {name: paths for name, paths in inputs.items() if name not in self.shortcuts}
        return {
            "script": self.script(wildcards) if self.is_python else None,
            "text": None if self.is_python else self._text(result, own),
            "inputs": own,
            "outputs": by_name(self.rule.expand_output(result.wildcards)[0]),
            "params": {
                name or str(i): self._param(i, result, inputs)
                for i, (name, _) in enumerate(self._params)
                if name not in self.unaffected_by
            },
            "environment": {name: os.environ.get(name) for name in self.environment},
            "software": self._software(),
        }

    def script(self, wildcards):
        """Return the path of the script, from the folder of the workflow."""
        return self.place.name_code(self._file(self.rule.script, wildcards))

    def files_in_free_params(self, result):
        """Return the paths in params that do not count: what they name is read as it is."""
        queue, found = [], []
        for i, (name, _) in enumerate(self._params):
            if name in self.unaffected_by:
                queue.append(self._param(i, result, {}, counts=False))
        while queue:
            value = queue.pop()
            if isinstance(value, str):
                found.append(value)
            elif isinstance(value, (dict, list)):
                queue += value.values() if isinstance(value, dict) else value
        return found

    def _text(self, result, inputs):
        """What a rule without a Python script executes: its text, and the files that it names."""
        rule = self.rule
        if file := rule.script or rule.notebook:
            file = self._file(file, result.wildcards)
            return [content(file), *_python_beside([file])]
        if rule.shellcmd:
            command = self._command(result, inputs)
            declared = {*result.outputs, *(path for paths in inputs.values() for path in paths)}
            files = sorted(word for word in _words(command) - declared if os.path.isfile(word))
            return [command, {f: content(f) for f in files}, *_python_beside([*files, *declared])]
        if rule.run_func_src:  # it can use everything that the Snakefiles define, import and read
            files = filter(None, map(_local_path, rule.workflow.included))
            return [
                rule.run_func_src,
                self._config_of_run(),
                sorted(map(_without_comments, files)),
                sorted(map(_code, self._imported)),
            ]
        return [rule.wrapper]

    def _config_of_run(self):
        """{key: hash} of the config for a `run` block; all of it, unless only keys are named."""
        text, variables = self.rule.run_func_src, self.rule.module_globals
        keys = re.findall(r"""\bconfig\[["'](\w+)["']\]""", text)
        calls_snakefile = any(
            getattr(variables.get(name), "__globals__", None) is variables
            for name in re.findall(r"\w+", text)
        )
        if calls_snakefile or len(keys) < len(re.findall(r"\bconfig\b", text)):
            keys = ["*"]
        return {key: self.place.answer_of_config(key) for key in keys}

    def _command(self, result, inputs):
        """The command of a shell rule, without what differs from run to run and in other places."""
        params = Params()
        for i, (name, _) in enumerate(self._params):
            is_free = name in self.unaffected_by
            params.append(_Blank() if is_free else self._param(i, result, inputs))
            if name:
                params._set_name(name, i)
        files = _input_files(inputs)
        for name in self.shortcuts:
            setattr(files, name, _Blank())
        variables = self.rule.module_globals | dict.fromkeys(OF_JOB, _Blank())
        variables |= {"input": files, "output": self.rule.expand_output(result.wildcards)[0]}
        variables |= {"params": params, "wildcards": Wildcards(fromdict=result.wildcards)}
        command = self.rule.shellcmd
        with suppress(Exception):  # as the job then says
            command = format_command(command, **variables)
        for folder in {os.path.abspath(self.rule.workflow.basedir), self.place.base, os.getcwd()}:
            place = os.path.relpath(folder)
            quoted = rf"(['\"]?){re.escape(folder)}\1(?![\w.-])"
            command = re.sub(quoted, lambda _, to=place: to, command)
        return command

    def _param(self, i, result, inputs, counts=True):
        """The value of a param, as JSON can hold it; a function is called with what it asks for."""
        (name, value), rule = self._params[i], copy.copy(self.rule)
        rule._params = Params()
        rule.set_params(value)
        asked = set(get_function_params(value)) if callable(value) else set()
        if asked := asked & DIFFER_BY_RUN:
            if not counts:
                return None
            raise WorkflowError(
                f"The param {name} of the rule {self.name} depends on {', '.join(sorted(asked))}, "
                f"which differ from run to run. {self._advice(name)}"
            )
        files, output = _input_files(inputs), rule.expand_output(result.wildcards)[0]
        found, _ = rule.expand_params(result.wildcards, files, output, None)
        return json.loads(json.dumps(found[0], default=lambda each: self._text_of(each, name)))

    def _text_of(self, value, name):
        if isinstance(value, (set, frozenset)):
            return sorted(map(repr, value))
        text = str(value) if isinstance(value, os.PathLike) else repr(value)
        if " at 0x" in text:
            raise WorkflowError(
                f"The param {name} of the rule {self.name} is {text}, which cannot be compared. "
                f"{self._advice(name)}"
            )
        return text

    def _advice(self, name):
        return (
            "If it changes no result, say so: "
            f"watch(..., unaffected_by={{{self.name!r}: [{name!r}]}})"
        )

    def _software(self):
        """The environment that a rule names for its job: conda, a container, modules."""
        conda = self.rule._conda_env
        if isinstance(conda, str):
            conda = content(_local_path(self.rule.basedir.join(conda)) or "") or conda
        named = [conda, self.rule._container_img, self.rule.env_modules]
        return [str(each) for each in named if each]

    def _file(self, path, wildcards):
        if "{" in str(path):
            path = str(path).format(wildcards=Wildcards(fromdict=wildcards))
        if not (found := _local_path(infer_source_file(path, self.rule.basedir))):
            raise WorkflowError(
                f"The script of the rule {self.name} is no local file: name the rule in "
                "watch(..., left_alone=[...])"
            )
        return found


def _words(command):
    """What may be a path in a command of a shell, quoted or not."""
    with suppress(ValueError):
        command = "\n".join([command, *shlex.split(command)])
    return {*command.splitlines(), *re.split(r"[\s;|&()<>'\"=]+", command)}


class _Blank(str):
    """Stands for what does not count, and for its attributes and items, in a command."""

    def __getattr__(self, name):
        return self

    def __getitem__(self, key):
        return self


def _input_files(inputs):
    """{name or "": [path, ...]} as Snakemake has the inputs of a job."""
    files = InputFiles()
    for name, paths in inputs.items():
        first = len(files)
        files.extend(paths)
        if name:
            files._set_name(name, first, end=None if len(paths) == 1 else len(files))
    return files


def _local_path(file):
    """The path of one of Snakemake's source files, or None if it is not on this machine."""
    return file.get_path_or_uri(secret_free=True) if isinstance(file, LocalSourceFile) else None


def _without_comments(path):
    """The text of a Snakefile without blank lines and lines of comment."""
    with open(path, encoding="utf-8") as file:
        return [line for line in file if line.strip() and not line.strip().startswith("#")]


def _code(path):
    """A hash of the code in a module, without comments and docstrings."""
    with open(path, "rb") as file:
        return digest({name: part.hash for name, part in remembered_parts(file.read()).items()})


def _python_beside(files):
    """Hashes of the code that Python files can import: all that is below their folders."""
    python = [file for file in files if file.endswith((".py", ".ipynb"))]
    folders = sorted({os.path.dirname(os.path.abspath(file)) for file in python})
    return [answer(os.path.join(folder, "**.py"), Place("/")) for folder in folders]
