"""Makes Snakemake run exactly what is stale: call `watch` after the last rule.

A result is current when its files exist, its settings and wiring are the present ones, and all that
its traces saw is as it was. To Snakemake this is said by two means:

- What is stale is forced, like the targets of --forcerun.
- A current stage has only `ancient` inputs, and none that a stale stage makes. So no job that runs
  is upstream of a current one. (Snakemake does not examine the jobs downstream of one that runs: it
  runs them, or stops at ancient inputs.)
"""

import json
import logging
import os
import re
import shlex
import time
from functools import cache
from pathlib import Path

from snakemake.exceptions import IncompleteCheckpointException, WorkflowError
from snakemake.io import IOFile, flag, is_flagged
from snakemake.iocontainers import InputFiles, Wildcards
from snakemake.logging import logger
from snakemake.settings.types import RerunTrigger
from snakemake.sourcecache import LocalSourceFile, infer_source_file
from snakemake_interface_logger_plugins.common import LogEvent

from snakefresh.files import content, digest
from snakefresh.reasons import describe_changes
from snakefresh.records import (
    delete_record,
    identity,
    read_record,
    read_trace,
    record_path,
    traces_folder,
    write_record,
    write_trace,
)
from snakefresh.traces import Place, differences, present

GIVEN = {"wildcards", "input", "output"}  # what a function of a param may ask for and still count
UNSUPPORTED = {"pipe", "service", "from_queue"}


def watch(
    workflow,
    settings,
    reads,
    shortcuts=(),
    unaffected_by=None,
    left_alone=(),
    environment=(),
    links=None,
    why_new=None,
):
    """Let Snakemake run exactly the stale ones of the rules so far; return a Watched.

    `settings` is a mapping, or a function of the wildcards that returns one, and `reads` has the keys
    that the script of a rule reads, {rule: [key, ...]}. The inputs named in `shortcuts` only save
    work. `unaffected_by` has params of rules that change no result, {rule: [name, ...]}, and
    "threads" or "resources". The rules `left_alone` are Snakemake's; what they make counts by its
    content. The values of the variables of the `environment` count for all. `links` has paths that a
    rule makes and Snakemake cannot have as outputs, {rule: [path, ...]}. `why_new` is a function of
    a rule's name and the wildcards that says why there is no result yet.

    Raises WorkflowError for names that are no rules, and for rules that it cannot serve.
    """
    planner = workflow.__dict__.setdefault("_snakefresh", None) or Planner(workflow)
    workflow._snakefresh = planner
    rules = {
        name: proxy.rule
        for name, proxy in workflow.modifier.rule_proxies._rules.items()
        if proxy.rule not in planner.stages
    }
    tables = {"reads": reads, "unaffected_by": unaffected_by or {}, "links": links or {}}
    for table, names in {**tables, "left_alone": left_alone}.items():
        unknown = [n for n in names if n not in rules and workflow.modifier.avail_rulename(n)]
        if unknown:
            raise WorkflowError(f"watch(..., {table}=...): there is no rule {', '.join(unknown)}")
    place = Place(str(workflow.current_basedir.get_path_or_uri(secret_free=True)))
    place.config = workflow.modifier.globals.get("config")
    found = {}
    for name, rule in rules.items():
        if rule.norun or not rule.output or name in left_alone:
            continue
        stage = Stage(name, rule, place, settings, shortcuts, environment, why_new)
        stage.reads = list(reads.get(name, ()))
        stage.unaffected_by = set((unaffected_by or {}).get(name, ()))
        stage.links = list((links or {}).get(name, ()))
        found[name] = planner.stages[rule] = stage
    planner.index_outputs()
    for stage in found.values():
        planner.prepare(stage)
    if workflow.modifier.is_main_snakefile():
        _use_records_alone(workflow)
    return Watched(planner, found)


def _use_records_alone(workflow):
    """Records say what is stale, and what was not completed; Snakemake's own triggers run more."""
    if workflow.dag_settings:
        workflow.dag_settings.rerun_triggers = frozenset([RerunTrigger.MTIME])
    if workflow.execution_settings:
        workflow.execution_settings.ignore_incomplete = True


class Stage:
    """A rule whose results have records."""

    def __init__(self, name, rule, place, settings, shortcuts, environment, why_new):
        self.name, self.rule, self.place = name, rule, Place(place.base, place.config, name)
        self.settings, self.shortcuts, self.environment = (
            settings,
            frozenset(shortcuts),
            environment,
        )
        self.why_new = why_new or (lambda name, wildcards: "for the first time")
        self.expand_input = rule.expand_input  # Snakemake's
        self.added_params = []

    def script(self, wildcards):
        """The path of a Python script, from the folder of the workflow; None for other rules."""
        path = self.rule.script and self.source_file(self.rule.script, wildcards)
        return self.place.name_code(path) if path and path.endswith(".py") else None

    def source_file(self, path, wildcards):
        path = (
            str(path).format(wildcards=Wildcards(fromdict=wildcards)) if "{" in str(path) else path
        )
        file = infer_source_file(path, self.rule.basedir)
        if not isinstance(file, LocalSourceFile):
            raise WorkflowError(
                f"The script of the rule {self.name} is no local file: name the rule in "
                "watch(..., left_alone=[...])"
            )
        return file.get_path_or_uri(secret_free=True)

    def text(self, wildcards, declared):
        """What a rule without a Python script executes: its text, and the files that it names."""
        rule = self.rule
        if file := rule.script or rule.notebook:
            file = self.source_file(file, wildcards)
            return [content(file), *self._python_beside([file])]
        if rule.shellcmd:
            words = re.split(r"[\s;|&()<>'\"=]+", rule.shellcmd)
            files = [w for w in words if w and w not in declared and os.path.isfile(w)]
            return [rule.shellcmd, {w: content(w) for w in files}, *self._python_beside(files)]
        if rule.run_func_src:  # it can use everything that the Snakefiles define
            files = {*self.rule.workflow.included_stack, *self.rule.workflow.included}
            paths = sorted(str(file.get_path_or_uri(secret_free=True)) for file in files)
            return [rule.run_func_src, [content(path) for path in paths]]
        return [rule.wrapper]

    def _python_beside(self, files):
        """The code that Python files can import: all below their folders."""
        folders = {
            os.path.dirname(file) or "." for file in files if file.endswith((".py", ".ipynb"))
        }
        return sorted(content_of_code(folder) for folder in folders)


def content_of_code(folder):
    from snakefresh.traces import answer

    return answer(os.path.join(os.path.abspath(folder), "**.py"), Place("/"))


class Watched:
    """What a workflow may ask about its results. `wildcards` are those of the outputs of the rule."""

    def __init__(self, planner, stages):
        self._planner, self._stages = planner, stages

    def is_current(self, rule, wildcards):
        """Return whether a result exists and all that decides it is as it was."""
        result = self._stages[rule], frozenset(wildcards.items())
        return self._planner.why_stale(*result) is None

    def is_current_by_record(self, rule, wildcards):
        """Return the same for the inputs that the record names, whatever the present ones are."""
        stage, wildcards = self._stages[rule], frozenset(wildcards.items())
        record = read_record(self._planner.record(stage, wildcards))
        if record is None:
            return False
        inputs = record["wiring"]["inputs"]
        return self._planner.why_stale(stage, wildcards, inputs) is None

    def runs(self, rule, wildcards):
        """Return whether this call of Snakemake makes a result, or has made it.

        It is decided once, when planning comes to the result, and stays so.
        """
        return self._planner.runs(self._stages[rule], frozenset(wildcards.items()))

    @property
    def forces(self):
        """Whether the user forces anything, so that current results may be made again."""
        return bool(self._planner.forced)


class _TooEarlyError(Exception):
    """The inputs of a result are not known before a checkpoint has run; `target` is its file."""

    def __init__(self, target):
        self.target = target


class Planner:
    """Decides about the results of all stages of a workflow. A result is (stage, wildcards)."""

    def __init__(self, workflow):
        self.workflow, self.stages = workflow, {}
        if workflow.storage_settings and workflow.storage_settings.default_storage_provider:
            raise WorkflowError("snakefresh needs results in a folder, not in a default storage")
        for name in (
            "plan",
            "outputs",
            "runs",
            "is_forced",
            "maker",
            "depends_on_others",
            "trace_now",
        ):
            setattr(self, name, cache(getattr(self, name)))
        if workflow.is_main_process:
            logger.addHandler(_Reports(self))
            logger.addFilter(_is_of_use)

    # ---- For the rules.

    def prepare(self, stage):
        """Give a rule what Snakemake needs to run it or not, and what its job needs."""
        rule = stage.rule
        if rule.shadow_depth:
            raise WorkflowError(
                f"The rule {stage.name} has `shadow`: its outputs would move after their record was "
                "written. Take `shadow` away, or name the rule in watch(..., left_alone=[...])"
            )
        if (
            any(UNSUPPORTED & set(output.flags) for output in rule.output)
            or rule.cwl
            or rule.template_engine
        ):
            raise WorkflowError(
                f"The rule {stage.name} has a pipe, a service, CWL or a template engine, which have no "
                "records: name it in watch(..., left_alone=[...])"
            )
        rule.expand_input = lambda wildcards, groupid=None: self.expand_input(
            stage, wildcards, groupid
        )
        is_python = bool(rule.script) and str(rule.script).endswith(".py")
        if is_python and "{" not in str(rule.script):
            _check_first_import(stage)
        names = set(rule.params.keys())
        stage.own_params = dict(rule.params._allitems()) and [*rule.params._allitems()]
        if not (rule.shellcmd and re.search(r"\{params\}", rule.shellcmd)) and "why" not in names:
            rule.message = rule.message or f"{rule.name}{{params.why}}"
            rule.set_params(why=lambda wildcards, output: self.say_why(stage, _key(wildcards)))
            stage.added_params.insert(0, "why")
        if is_python:
            rule.set_params(
                snakefresh=lambda wildcards, output: self.plan_of_job(stage, _key(wildcards))
            )
            stage.added_params.insert(0, "snakefresh")
            for output in rule.output:
                if not is_flagged(output, "temp") and not is_flagged(output, "touch"):
                    output._file = flag(output._file, "update")  # Snakemake leaves it to the job

    def expand_input(self, stage, wildcards, groupid):
        """Return the inputs of a job as Snakemake needs them, see the docstring of this module."""
        expanded = files, mapping, dependencies, incomplete = stage.expand_input(wildcards, groupid)
        if incomplete:
            return expanded
        key = frozenset(dict(wildcards).items())
        try:
            if not self.workflow.is_main_process:
                self._keep(files, lambda path: True)
            elif self.runs(stage, key):
                self._set_back_future_times(files)
                self.workflow.dag.forcefiles.update(self.outputs(stage, key))
            else:
                files = self._keep(files, self._is_there_and_stays)
        except _TooEarlyError as error:
            files = InputFiles([error.target])
            return files, {error.target: error.target}, {}, True
        return files, mapping, {f: d for f, d in dependencies.items() if f in files}, False

    def _keep(self, files, wanted):
        """The inputs that are `wanted`, ancient unless they depend on rules that are no stages."""
        kept = InputFiles()
        for name, item in files._allitems():
            first, own = len(kept), [item] if isinstance(item, str) else list(item)
            for file in own:
                if self.depends_on_others(str(file)):
                    kept.append(file)
                elif wanted(str(file)):
                    file.flags["ancient"] = True
                    kept.append(file)
            if name:
                is_one = isinstance(item, str) and len(kept) > first
                kept._set_name(name, first, end=None if is_one else len(kept))
        return kept

    def _is_there_and_stays(self, path):
        return os.path.exists(path) and not ((maker := self.maker(path)) and self.runs(*maker))

    @staticmethod
    def _set_back_future_times(files):
        """Give inputs with a modification time in the future, by a wrong clock, the present one.

        Snakemake marks a job as failed if an output is older than an input.
        """
        now = time.time()
        for path in files:
            if os.path.exists(path) and os.stat(path).st_mtime > now:
                try:
                    os.utime(path, (now, now))
                except OSError as error:
                    raise WorkflowError(
                        f"{path} has a modification time in the future, which cannot be changed "
                        f"({error.strerror}). Change it: touch {path}"
                    ) from None

    def say_why(self, stage, wildcards):
        """Return why a result is made, in parentheses, for the message of its rule."""
        try:
            if reason := self.why_stale(stage, wildcards):
                return f" ({reason})"
            if any(self.runs(*maker) for maker in self.makers(stage, wildcards)):
                return f" (follows {', '.join(sorted({m.name for m, _ in self.makers(stage, wildcards)}))})"
        except _TooEarlyError:
            return ""
        return " (once more)"

    def plan_of_job(self, stage, wildcards):
        """Return what the job of a result needs to know."""
        try:
            inputs = self.inputs(stage, wildcards)
        except _TooEarlyError:
            return None
        plan, outputs = self.plan(stage, wildcards), self.outputs(stage, wildcards)
        execution = self.workflow.execution_settings  # None where nothing runs: --rulegraph
        made_by = {}
        for path in {path for own in inputs.values() for path in own}:
            if maker := self.maker(path):
                planned = None if self.depends_on_others(path) else identity(self.plan(*maker))
                made_by[path] = (
                    self.record(*maker),
                    traces_folder(self.outputs(*maker)[0]),
                    planned,
                )
        flags = {path: output for path, output in zip(outputs, stage.rule.output)}
        return plan | {
            "rule": stage.name,
            "base": stage.place.base,
            "script": stage.script(dict(wildcards)),
            "record": self.record(stage, wildcards),
            "traces": traces_folder(outputs[0]),
            "touched": [path for path, output in flags.items() if is_flagged(output, "touch")],
            "shortcuts": [
                p for name, own in inputs.items() if name in stage.shortcuts for p in own
            ],
            "upstream": {
                p: None if self.depends_on_others(p) else u for p, u in plan["upstream"].items()
            },
            "made_by": made_by,
            "may_read": {"threads", "resources"} & stage.unaffected_by,
            "free": self._free_paths(stage, wildcards),
            "added_params": stage.added_params,
            "made_elsewhere": self.patterns,
            "latency_wait": execution.latency_wait if execution else 0,
        }

    # ---- About results.

    def why_stale(self, stage, wildcards, inputs=None):
        """Return why a result is not current, in words, or None if it is."""
        now = (
            self.plan(stage, wildcards) if inputs is None else self._plan(stage, wildcards, inputs)
        )
        before = read_record(self.record(stage, wildcards))
        files = [
            path
            for path, output in zip(self.outputs(stage, wildcards), stage.rule.output)
            if not is_flagged(output, "temp")
        ]
        if before is None:
            if files and all(map(os.path.exists, files)):
                return self._no_record(files[0])
            return stage.why_new(stage.name, dict(wildcards))
        if not all(map(os.path.exists, files)) or not all(map(os.path.lexists, stage.links)):
            return "its result is missing"
        changes = []
        folder = traces_folder(self.outputs(stage, wildcards)[0])
        for name in [*before["own"], *before["inherited"]]:
            found = self.trace_now(folder, name, stage.place.base)
            changes += [each for each in found if each not in changes]
        return describe_changes(before, now, changes, lambda path: self._name_of_maker(path))

    @staticmethod
    def _no_record(path):
        old = Path(path).with_name(f".{Path(path).name}.fingerprint")
        if old.exists():
            return "it was made by version 1, whose records are others"
        return "there is no record of how its result was made"

    def _name_of_maker(self, path):
        maker = self.maker(path)
        return maker and maker[0].name

    def trace_now(self, folder, name, base):
        """The differences between a trace and the present source, [(section, question), ...]."""
        trace = read_trace(folder, name)
        if trace is None:
            return [("trace", f"{folder}/{name}.json")]
        return [
            (section, question, base)
            for section, question in differences(trace, present(trace, self._place_of(trace, base)))
        ]

    def _place_of(self, trace, base):
        """Where a trace is evaluated: with the config of the workflow of its script."""
        for stage in self.stages.values():
            if stage.place.base == base:
                return Place(base, stage.place.config, trace["rule"])
        return Place(base)

    def plan(self, stage, wildcards):
        """What decides a result besides code: settings, wiring, and the same of what it is made from."""
        return self._plan(stage, wildcards, self.inputs(stage, wildcards))

    def _plan(self, stage, wildcards, inputs):
        own = {name: paths for name, paths in inputs.items() if name not in stage.shortcuts}
        settings = (
            stage.settings if not callable(stage.settings) else stage.settings(dict(wildcards))
        )
        script = stage.script(dict(wildcards))
        wiring = {
            "inputs": own,
            "outputs": self.outputs(stage, wildcards),
            "params": self._params(stage, wildcards, inputs),
            "environment": {name: os.environ.get(name) for name in stage.environment},
            "software": self._software(stage, wildcards),
        }
        if script:
            wiring["script"] = script
        else:
            declared = {p for paths in [*own.values(), wiring["outputs"]] for p in paths}
            wiring["text"] = digest(stage.text(dict(wildcards), declared))
        upstream = {
            path: identity(self.plan(*maker)) if (maker := self.maker(path)) else content(path)
            for paths in own.values()
            for path in paths
        }
        kept = {key: settings[key] for key in stage.reads if key in settings}
        return {"settings": json.loads(json.dumps(kept)), "wiring": wiring, "upstream": upstream}

    def inputs(self, stage, wildcards):
        """{name or "": [path, ...]} of the inputs of a result."""
        files, _, _, incomplete = stage.expand_input(dict(wildcards))
        if incomplete:
            raise _TooEarlyError(next(f for f in files if is_flagged(f, "checkpoint_target")))
        found = {}
        for name, item in files._allitems():
            found.setdefault(name or "", []).extend([item] if isinstance(item, str) else item)
        return {name: list(map(str, own)) for name, own in found.items()}

    def _params(self, stage, wildcards, inputs):
        """{name or number: value} of the params that count; functions are called."""
        given = {
            "input": _namedlist(InputFiles, inputs),
            "output": stage.rule.expand_output(dict(wildcards))[0],
            "wildcards": Wildcards(fromdict=dict(wildcards)),
        }
        found = {}
        for i, (name, value) in enumerate(stage.own_params):
            if name not in stage.unaffected_by:
                found[name or str(i)] = _plain(_evaluate(value, given, stage, name), stage, name)
        return found

    def _free_paths(self, stage, wildcards):
        """The paths in params that do not count: what they name is read as it is."""
        given = {
            "input": InputFiles(),
            "output": stage.rule.expand_output(dict(wildcards))[0],
            "wildcards": Wildcards(fromdict=dict(wildcards)),
        }
        found, queue = (
            [],
            [
                _evaluate(value, given, stage, name)
                for name, value in stage.own_params
                if name in stage.unaffected_by
            ],
        )
        while queue:
            value = queue.pop()
            if isinstance(value, dict):
                queue += value.values()
            elif isinstance(value, (list, tuple, set)):
                queue += value
            elif isinstance(value, (str, os.PathLike)):
                found.append(str(value))
        return found

    def _software(self, stage, wildcards):
        """The environment that a rule names, for its job: conda, a container, modules."""
        rule = stage.rule
        conda = rule._conda_env
        if isinstance(conda, str) and os.path.exists(
            str(rule.basedir.join(conda).get_path_or_uri(secret_free=True))
        ):
            conda = content(str(rule.basedir.join(conda).get_path_or_uri(secret_free=True)))
        named = [conda, rule._container_img, rule.env_modules]
        return [str(each) for each in named if each] or None

    def outputs(self, stage, wildcards):
        """The paths of the files of a result."""
        return [str(output.apply_wildcards(dict(wildcards))) for output in stage.rule.output]

    def record(self, stage, wildcards):
        return record_path(self.outputs(stage, wildcards)[0])

    def makers(self, stage, wildcards):
        """The results that the inputs of a result are files of."""
        paths = [path for own in self.inputs(stage, wildcards).values() for path in own]
        return list(dict.fromkeys(filter(None, map(self.maker, paths))))

    def index_outputs(self):
        """Remember the outputs of all rules: those of a constant file name by this name."""
        self.by_name, self.others, self.patterns = {}, [], []
        for rule in self.workflow.rules:
            for output in rule.output:
                name = os.path.basename(str(output))
                place = self.others if "{" in name else self.by_name.setdefault(name, [])
                place.append((rule, output))
                self.patterns.append((rule.name, re.compile(output.regex())))
        self.maker.cache_clear()

    def producers(self, path):
        """[(rule, wildcards), ...] that make a file, the preferred one last."""
        found = [
            (rule, frozenset(match.groupdict().items()))
            for rule, output in [*self.by_name.get(os.path.basename(path), ()), *self.others]
            if (match := output.match(path))
        ]
        return sorted(dict.fromkeys(found), key=lambda each: each[0]) if len(found) > 1 else found

    def maker(self, path):
        """The result that a file belongs to, or None."""
        for rule, wildcards in reversed(self.producers(path)):
            return (self.stages[rule], wildcards) if rule in self.stages else None
        return None

    def depends_on_others(self, path):
        """Whether a file depends on a rule that is no stage: Snakemake has to see whether that runs."""
        if maker := self.maker(path):
            paths = [each for own in self.inputs(*maker).values() for each in own]
            return any(map(self.depends_on_others, paths))
        return bool(self.producers(path))

    # ---- About this call of Snakemake.

    def runs(self, stage, wildcards):
        """Whether a result is stale, or the user forces it. Decided once in a call.

        With Snakemake's trigger `input`, a current stage runs as well if one runs that it reads
        from: Snakemake would run it anyway, and without waiting, as its set of inputs changes.
        """
        if self.why_stale(stage, wildcards) or self.is_forced(stage, wildcards):
            return True
        triggers = self.workflow.dag_settings.rerun_triggers
        return RerunTrigger.INPUT in triggers and any(
            self.runs(*maker) for maker in self.makers(stage, wildcards)
        )

    @property
    def forced(self):
        """The names of rules and the paths that the user forces, or True for all."""
        dag = self.workflow.dag_settings
        return dag.forceall or {
            *map(str, dag.forcerun),
            *(map(str, dag.targets) if dag.forcetargets else ()),
        }

    def is_forced_itself(self, stage, wildcards):
        forced = self.forced
        names = {stage.rule.name, *self.outputs(stage, wildcards)}
        return forced is True or not names.isdisjoint(forced)

    def is_forced(self, stage, wildcards):
        """Whether the user forces a result, or one that it is made from."""
        if not self.forced or self.is_forced_itself(stage, wildcards):
            return bool(self.forced)
        return any(self.is_forced(*maker) for maker in self.makers(stage, wildcards))

    # ---- What the main process does when jobs begin and end.

    def job_begins(self, job):
        """Delete the record of what must not be cut off, and of what a job does not delete itself."""
        if (result := self._result_of(job)) and not self.workflow.touch:
            if not result[0].script(dict(result[1])) or self.is_forced_itself(*result):
                delete_record(self.record(*result))

    def job_ends(self, job):
        """Write the record of a result whose job writes none, or that was declared good."""
        if not (result := self._result_of(job)):
            return
        stage, wildcards = result
        if self.workflow.touch:
            self.accept(stage, wildcards)
        elif not stage.script(dict(wildcards)):
            self._write_record(stage, wildcards, own=[])

    def _result_of(self, job):
        stage = self.stages.get(job.rule)
        return stage and (stage, frozenset(job.wildcards_dict.items()))

    def _write_record(self, stage, wildcards, own):
        outputs, inputs = self.outputs(stage, wildcards), self.inputs(stage, wildcards)
        paths = [path for each in inputs.values() for path in each]
        made_by = {path: maker for path in paths if (maker := self.maker(path))}
        makers = {
            path: (record, traces_folder(self.outputs(*maker)[0]))
            for path, maker in made_by.items()
            if (record := read_record(self.record(*maker)))
        }
        plan = self._plan(stage, wildcards, inputs) | {
            "record": self.record(stage, wildcards),
            "traces": traces_folder(outputs[0]),
        }
        hashes = [{path: content(path) for path in some} for some in (paths, outputs)]
        write_record(plan, *hashes, own, makers)

    def accept(self, stage, wildcards):
        """Record that a result is current, whatever made it, if what it is made from is."""
        exists = all(map(os.path.exists, self.outputs(stage, wildcards)))
        if not exists or any(self.why_stale(*maker) for maker in self.makers(stage, wildcards)):
            return
        own, script = [], stage.script(dict(wildcards))
        if script:
            folder = traces_folder(self.outputs(stage, wildcards)[0])
            known = read_record(self.record(stage, wildcards)) or {"own": []}
            traces = [read_trace(folder, name) for name in known["own"]]
            if not traces or not all(traces):
                traces = [_trace_of_all_code(script, stage.place)]
            own = [
                write_trace(
                    folder, present(trace | {"accepted": True, "version": None}, stage.place)
                )
                for trace in traces
            ]
        self._write_record(stage, wildcards, own)


def _is_of_use(record):
    """Whether a message of Snakemake is no warning about outputs that did not exist before."""
    return not str(record.msg).startswith("Cannot restore ")


class _Reports(logging.Handler):
    """A handler of Snakemake's log, which tells of jobs that begin and end."""

    def __init__(self, planner):
        super().__init__()
        self.planner = planner

    def emit(self, record):
        event = getattr(record, "event", None)
        if (
            event not in (LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED)
            or self.planner.workflow.dryrun
        ):
            return
        numbers = record.jobs if event == LogEvent.JOB_STARTED else [record.job_id]
        act = self.planner.job_begins if event == LogEvent.JOB_STARTED else self.planner.job_ends
        dag = self.planner.workflow.dag
        for job in [job for job, number in dag._jobid.items() if number in numbers]:
            act(job)


def _key(wildcards):
    return frozenset(wildcards.items())


def _namedlist(kind, inputs):
    made = kind()
    for name, own in inputs.items():
        first = len(made)
        made.extend(own)
        if name:
            made._set_name(name, first, end=None if len(own) == 1 else len(made))
    return made


def _evaluate(value, given, stage, name):
    """The value of a param; a function is called with what it asks for."""
    if not callable(value):
        return (
            value.format(wildcards=given["wildcards"], **given["wildcards"])
            if isinstance(value, str) and "{" in value
            else value
        )
    import inspect

    asked = list(inspect.signature(value).parameters)[1:]
    if unknown := set(asked) - GIVEN:
        raise WorkflowError(
            f"The param {name} of the rule {stage.name} depends on {', '.join(sorted(unknown))}, which "
            f"differ from run to run. If they change no result: "
            f"watch(..., unaffected_by={{{stage.name!r}: [{name!r}]}})"
        )
    return value(given["wildcards"], **{each: given[each] for each in asked})


def _plain(value, stage, name):
    """A value as JSON can hold it. Raises WorkflowError for an object that cannot be compared."""

    def described(each):
        if isinstance(each, os.PathLike):
            return str(each)
        if isinstance(each, (set, frozenset)):
            return sorted(map(repr, each))
        if " at 0x" in repr(each):
            raise WorkflowError(
                f"The param {name} of the rule {stage.name} is {each!r}, which cannot be compared. If "
                f"it changes no result: watch(..., unaffected_by={{{stage.name!r}: [{name!r}]}})"
            )
        return repr(each)

    return json.loads(json.dumps(value, default=described))


def _check_first_import(stage):
    path = Path(stage.place.find(stage.script({})))
    if path.exists() and b"snakefresh" not in path.read_bytes():
        raise WorkflowError(
            f"{stage.script({})} does not import `recorded` of snakefresh, so nothing would be known of "
            f"it. Let it begin with `from snakefresh import recorded`, or name its rule: "
            f"watch(..., left_alone=[{stage.name!r}])"
        )


def _trace_of_all_code(script, place):
    """The questions of a trace that counts everything that the script could use."""
    folder = os.path.dirname(script) or "."
    return {
        **{"script": script, "folders": [folder], "files": {script: None}, "parts": {}},
        **{"modules": {}, "data": {f"{folder}/**.py": None}, "config": {}, "rule": None},
    }
