"""Decides which results are current, and makes Snakemake run exactly the others.

To Snakemake this is said by two means:

- What is stale is forced, like the targets of --forcerun.
- A current stage has only `ancient` inputs, and none that a stale stage makes. So no job that runs
  is upstream of a current one. (Snakemake does not examine the jobs downstream of one that runs: it
  runs them, or stops at ancient inputs.)
"""

import logging
import os
import pwd
import time
from functools import cache, cached_property

from snakemake.exceptions import IncompleteCheckpointException, WorkflowError
from snakemake.io import is_flagged
from snakemake.iocontainers import InputFiles
from snakemake.jobs import Job
from snakemake.logging import logger
from snakemake.persistence import NO_PARAMS_CHANGE
from snakemake_interface_logger_plugins.common import LogEvent

from snakefresh.contents import content, touched
from snakefresh.reasons import describe_changes
from snakefresh.records import (
    delete_record,
    identity,
    read_record,
    read_trace,
    write_record,
    write_trace,
)
from snakefresh.stages import Result, by_name
from snakefresh.traces import differences, present

# What Snakemake asks about a job besides the times of its files, and the answer that starts none.
NO_TRIGGER = {
    "has_metadata": True,
    "has_outdated_metadata": False,
    "params_changed": NO_PARAMS_CHANGE,
    "input_changed": (),
    "code_changed": (),
    "software_stack_changed": (),
}


class Planner:
    """Decides about all results of a workflow: those of its `stages`, {rule: Stage}.

    A call of Snakemake has one planner, and what is cached here is decided once in it.
    """

    def __init__(self, workflow):
        self.workflow, self.stages, self._expanded, self._in_question = workflow, {}, {}, set()
        if workflow.is_main_process:
            logger.addHandler(_Reports(self))
            logger.addFilter(_is_of_use)

    def result(self, stage, wildcards):
        """Return the Result of a stage for the wildcards of its outputs."""
        return self._result(stage, frozenset(wildcards.items()))

    @cache
    def _result(self, stage, wildcards):
        return Result(stage, dict(wildcards))

    # ---- What Snakemake asks for.

    def expand_input(self, stage, wildcards, groupid=None):
        """Return the inputs of a job as Snakemake needs them to run it or not."""
        result = self.result(stage, wildcards)
        files, mapping, dependencies, is_incomplete = self._expanded.pop(
            result, None
        ) or stage.expand_input(wildcards, groupid)
        if is_incomplete or self.workflow.dag is None:  # as where a script mocks a job of its own
            return files, mapping, dependencies, is_incomplete
        self.keep_triggers_from_stages()
        try:
            if not self.workflow.is_main_process:
                files = self._make_ancient(files, lambda path: True)
            elif self.runs(result):
                _set_back_future_times(files)
                # Snakemake asks about rules that it then prefers others to.
                is_preferred = self.maker(result.outputs[0]) in (result, None)
                self.workflow.dag.forcefiles.update(result.outputs if is_preferred else ())
            else:
                files = self._make_ancient(files, self._is_there_and_stays)
        except IncompleteCheckpointException as error:
            target = error.targetfile
            return InputFiles([target]), {target: target}, {}, True
        return files, mapping, {file: d for file, d in dependencies.items() if file in files}, False

    @cache
    def keep_triggers_from_stages(self):
        """Let Snakemake's triggers start no job of a stage: its record says more than they do."""
        persistence = self.workflow.persistence
        for name, answer in NO_TRIGGER.items():
            setattr(persistence, name, self._unless_stage(getattr(persistence, name), answer))
        incomplete, older = persistence.incomplete, Job.outputs_older_than_script_or_notebook
        check_protected = Job.check_protected_output

        async def incomplete_outputs(job):
            return [] if job.rule in self.stages else await incomplete(job)

        async def outputs_older_than_script(job):
            if job.rule not in self.stages:
                async for each in older(job):
                    yield each

        async def check_protected_output(job):
            if job.rule not in self.stages or not _may_be_replaced(job.output):
                await check_protected(job)

        persistence.incomplete = incomplete_outputs
        Job.check_protected_output = check_protected_output
        Job.outputs_older_than_script_or_notebook = outputs_older_than_script

    def _unless_stage(self, function, answer):
        return lambda job, **file: answer if job.rule in self.stages else function(job, **file)

    def _make_ancient(self, files, is_wanted):
        """The inputs that are wanted, as ancient ones.

        If some depend on rules that are no stages, Snakemake may run the job: then all are kept.
        """
        others, kept = {file for file in files if self.depends_on_others(str(file))}, InputFiles()
        for name, item in files._allitems():
            first, own = len(kept), [item] if isinstance(item, str) else list(item)
            for file in own:
                if file not in others and is_wanted(str(file)):
                    file.flags["ancient"] = True
                elif not others:
                    continue
                kept.append(file)
            if name:
                is_one = isinstance(item, str) and len(kept) > first
                kept._set_name(name, first, end=None if is_one else len(kept))
        return kept

    def _is_there_and_stays(self, path):
        return os.path.exists(path) and not ((maker := self.maker(path)) and self.runs(maker))

    def say_why(self, stage, wildcards):
        """Return why a result is made, in parentheses."""
        result = self.result(stage, wildcards)
        try:
            reason, makers = self.first_reason(result), self.makers(result)
            if not reason and not self._is_forced_itself(result) and any(map(self.runs, makers)):
                reason = f"follows {', '.join(sorted({maker.stage.name for maker in makers}))}"
        except IncompleteCheckpointException:
            return ""
        return f" ({reason or 'forced'})"

    def plan_of_job(self, stage, wildcards, files):
        """Return what the job of a result needs to know; `files` are its inputs.

        Returns None for a job that does not run, or not before a checkpoint has.
        """
        result, inputs = self.result(stage, wildcards), by_name(files)
        is_there = self.workflow.is_main_process and all(map(os.path.exists, result.outputs))
        try:
            if is_there and not self.runs(result) and not any(map(self.depends_on_others, files)):
                return None
            plan = self._plan(result, inputs)
        except IncompleteCheckpointException:
            return None
        execution = self.workflow.execution_settings  # None where nothing runs: --rulegraph
        makers = {path: maker for path in files if (maker := self.maker(path))}
        return {
            **{key: plan[key] for key in ("settings", "wiring", "temporary")},
            "rule": stage.name,
            "base": stage.place.base,
            "script": stage.script(wildcards),
            "record": result.record,
            "traces": result.traces,
            "upstream": {
                path: None if path in makers or self.depends_on_others(path) else content(path)
                for path in plan["upstream"]
            },
            "made_by": {
                path: (
                    maker.record,
                    maker.traces,
                    None if self.depends_on_others(path) else self.identity_of(maker),
                )
                for path, maker in makers.items()
            },
            "shortcuts": [
                path for n, own in inputs.items() if n in stage.shortcuts for path in own
            ],
            "touched": [
                path
                for path, output in zip(result.outputs, stage.rule.output)
                if is_flagged(output, "touch")
            ],
            "links": stage.links,
            "may_read": set(stage.unaffected_by),
            "free": stage.files_in_free_params(result),
            "made_elsewhere": [
                (rule.name, output.regex())
                for rule in self.workflow.rules
                for output in rule.output
            ],
            "latency_wait": execution.latency_wait if execution else 0,
        }

    # ---- Whether results are current.

    def why_stale(self, result, inputs=None):
        """Return why a result is not current, in words, or None if it is.

        `inputs` are those that count, if not the present ones.
        """
        now = self.plan(result) if inputs is None else self._plan(result, inputs)
        before = read_record(result.record)
        if before is None:
            if result.kept and all(map(os.path.exists, result.kept)):
                return "there is no record of how its result was made"
            return result.stage.why_new(result.stage.name, result.wildcards)
        if not result.exists():
            return "its result is missing"
        changes = {}
        for name in [*before["own"], *before["inherited"]]:
            try:
                found = self.differences_of_trace(result.traces, name, result.stage.place)
                changes |= dict.fromkeys(found)
            except FileNotFoundError:
                return "a trace that its record names is missing"
        return describe_changes(before, now, changes, self._describe_maker)

    def _describe_maker(self, path):
        maker = self.maker(path)
        return f"follows {maker.stage.name}" if maker else f"{path} changed"

    @cache
    def differences_of_trace(self, folder, name, place):
        """Return how a trace differs from what is there now, [(section, question, base), ...].

        A module of Snakemake's may have been made in another folder than what is made from it;
        `place` is where to look if no watched workflow is in the folder that the trace names.

        Raises FileNotFoundError if it is missing: what is made again brings it back.
        """
        if (trace := read_trace(folder, name)) is None:
            raise FileNotFoundError(name)
        base = os.path.realpath(trace["base"])
        places = (stage.place for stage in self.stages.values())
        place = next((each for each in places if each.base == base), place)
        return [(*each, place.base) for each in differences(trace, present(trace, place))]

    @cache
    def plan(self, result):
        """Return what decides a result besides code: settings, wiring, and the same upstream."""
        return self._plan(result, self.inputs(result))

    def _plan(self, result, inputs):
        stage, wiring = result.stage, result.stage.wiring(result, inputs)
        upstream = {
            path: self._identity(path, result)
            for paths in wiring["inputs"].values()
            for path in paths
        }
        return {
            "settings": stage.settings(result.wildcards),
            "wiring": wiring,
            "upstream": upstream,
            "temporary": sorted({*result.outputs} - {*result.kept}),
        }

    @cache
    def identity_of(self, result):
        """Return what decides a result besides code, as one hash."""
        return identity(self.plan(result))

    def _identity(self, path, result):
        """What an input of a result is; if no stage makes it, its content, or what had this."""
        if maker := self.maker(path):
            return self.identity_of(maker)
        known, before = content(path), read_record(result.record)
        is_same = before is not None and before["inputs"].get(path) == known
        return before["upstream"].get(path, known) if is_same else known

    @cache
    def inputs(self, result):
        """Return {name or "": [path, ...]} of the inputs of a result.

        Raises IncompleteCheckpointException if they are not known before a checkpoint has run.
        """
        expanded = files, _, _, is_incomplete = result.stage.expand_input(result.wildcards)
        if is_incomplete:
            target = next(file for file in files if is_flagged(file, "checkpoint_target"))
            raise IncompleteCheckpointException(result.stage.rule, target)
        self._expanded[result] = expanded  # for the job, which Snakemake makes next
        return by_name(files)

    def makers(self, result):
        """Return the results that the inputs of a result are files of."""
        paths = [path for own in self.inputs(result).values() for path in own]
        return list(dict.fromkeys(filter(None, map(self.maker, paths))))

    @cache
    def maker(self, path):
        """Return the Result that a file belongs to, or None if no stage makes it."""
        for rule, wildcards in reversed(self._producers(path)):
            if rule not in self.stages:
                return None
            if self.can_be_made(result := self.result(self.stages[rule], wildcards)):
                return result
        return None

    @cache
    def can_be_made(self, result):
        """Return whether the inputs of a result are there, or can be made: else others make it."""
        if result in self._in_question:
            return False  # as it would be made from itself
        self._in_question.add(result)
        try:
            paths = [path for own in self.inputs(result).values() for path in own]
            return all(
                os.path.exists(path) or self.maker(path) or self._is_of_others(path)
                for path in paths
            )
        except IncompleteCheckpointException:
            return True
        finally:
            self._in_question.discard(result)

    @cache
    def depends_on_others(self, path):
        """Return whether a file depends on a rule that is no stage: Snakemake decides about it."""
        if maker := self.maker(path):
            paths = [each for own in self.inputs(maker).values() for each in own]
            return any(map(self.depends_on_others, paths))
        return self._is_of_others(path)

    def _is_of_others(self, path):
        return any(rule not in self.stages for rule, _ in self._producers(path))

    def _producers(self, path):
        """[(rule, wildcards), ...] of the rules that make a file, the preferred one last."""
        by_name, others = self._outputs_of_rules
        found = [
            (rule, match.groupdict())
            for rule, output in [*by_name.get(os.path.basename(path), ()), *others]
            if (match := output.match(path))
        ]
        return sorted(found, key=lambda each: each[0]) if len(found) > 1 else found

    @cached_property
    def _outputs_of_rules(self):
        """The outputs of all rules, (rule, output): those with a constant name by it, and others.

        It is asked for when all rules are known.
        """
        by_name, others = {}, []
        for rule in self.workflow.rules:
            for output in rule.output:
                name = os.path.basename(str(output))
                among = others if "{" in name else by_name.setdefault(name, [])
                among.append((rule, output))
        return by_name, others

    def is_damaged(self, path):
        """Return whether a file is there and is not what the record of its result says."""
        stages = [each for each in self._producers(path) if each[0] in self.stages]
        records = [read_record(self.result(self.stages[rule], w).record) for rule, w in stages]
        known = {record["outputs"].get(path) for record in filter(None, records)} - {None}
        return os.path.lexists(path) and bool(known) and content(path) not in known

    # ---- What this call of Snakemake runs.

    @cache
    def runs(self, result):
        """Return whether a result is made in this call: it is stale, or the user forces it.

        It is decided once.
        """
        return bool(self.first_reason(result)) or self.is_forced(result)

    @cache
    def first_reason(self, result):
        """Return why a result was not current when planning came to it, or None."""
        return self.why_stale(result)

    @property
    def forces(self):
        """Whether the user forces anything."""
        dag = self.workflow.dag_settings
        return bool(dag.forceall or dag.forcerun or dag.forcetargets)

    @cache
    def is_forced(self, result):
        """Return whether the user forces a result, or one that it is made from."""
        if not self.forces or self._is_forced_itself(result):
            return self.forces
        return any(map(self.is_forced, self.makers(result)))

    def _is_forced_itself(self, result):
        dag = self.workflow.dag_settings
        forced = {*dag.forcerun, *(dag.targets if dag.forcetargets else ())}
        forced = {str(each) for each in forced} | {os.path.relpath(each) for each in forced}
        return dag.forceall or not forced.isdisjoint({result.stage.rule.name, *result.outputs})

    # ---- What the main process does when jobs begin and end.

    def job_begins(self, job):
        """Delete the record of what must not be cut off, and what a job does not delete itself."""
        if self.workflow.touch or not (result := self._result_of(job)):
            return
        if not result.stage.is_python or self._is_forced_itself(result):
            delete_record(result.record)

    def job_ends(self, job):
        """Write the record of a result whose job writes none, or that was declared good."""
        if not (result := self._result_of(job)):
            return
        if self.workflow.touch:
            self._accept(result)
        elif not result.stage.is_python:
            self._write_record(result, own=[])
        for path, known in (read_record(result.record) or {"outputs": {}})["outputs"].items():
            touched(path, known)  # by Snakemake, after the job

    def _result_of(self, job):
        stage = self.stages.get(job.rule)
        return stage and self.result(stage, job.wildcards_dict)

    def _write_record(self, result, own):
        inputs = self.inputs(result)
        paths = [path for each in inputs.values() for path in each]
        makers = {
            path: (record, maker.traces)
            for path in paths
            if (maker := self.maker(path)) and (record := read_record(maker.record))
        }
        plan = self._plan(result, inputs) | {"record": result.record, "traces": result.traces}
        hashes = [{path: content(path) for path in some} for some in (paths, result.outputs)]
        write_record(plan, *hashes, own, makers)

    def _accept(self, result):
        """Record that a result is current, whatever made it, if what it is made from is."""
        if not result.exists() or any(map(self.why_stale, self.makers(result))):
            return
        own, stage = [], result.stage
        if stage.is_python:
            script = stage.script(result.wildcards)
            known = (read_record(result.record) or {"own": []})["own"]
            own = {self.accepted_trace(result.traces, name, stage, script) for name in known}
            if not own or None in own:
                own = {self.accepted_trace(result.traces, None, stage, script)}
        self._write_record(result, own)

    @cache
    def accepted_trace(self, folder, name, stage, script):
        """Write the trace of accepted results; return its name, or None if `name` is no trace.

        It has the questions of the trace `name`; if that is None, all code that the script could
        use counts.
        """
        code = os.path.dirname(script) or "."
        trace = {
            "base": os.path.relpath(stage.place.base),
            "script": script,
            "folders": [code],
            "files": {script: None},
            "parts": {},
            "modules": {},
            "config": {},
            "data": {f"{code}/**.py": None},
        }
        if name and not (trace := read_trace(folder, name)):
            return None
        accepted = {"accepted": True, "version": None}
        return write_trace(folder, present(trace | accepted, stage.place))


def _set_back_future_times(paths):
    """Give files with a modification time in the future, by a wrong clock, the present one.

    Snakemake marks a job as failed if an output is older than an input.
    """
    now = time.time()
    for path in paths:
        if os.path.exists(path) and os.stat(path).st_mtime > now:
            try:
                os.utime(path, (now, now))
            except OSError as error:
                raise WorkflowError(
                    f"{path} has a modification time in the future, which cannot be changed "
                    f"({error.strerror}). Change it: touch {path}"
                ) from None


def _may_be_replaced(paths):
    """Whether some of these files are another user's; they are replaced, if their folders allow it.

    Raises WorkflowError if a folder of another user does not.
    """
    for path in paths:
        folder = os.path.dirname(os.path.abspath(path))
        while not os.path.exists(folder):
            folder = os.path.dirname(folder)
        if not os.access(folder, os.W_OK) and (owner := _other_owner(folder)):
            raise WorkflowError(
                f"{path} cannot be written: {os.path.relpath(folder)} belongs to {owner}. "
                "Ask them, or name another folder with --directory"
            )
    return any(os.path.exists(path) and _other_owner(path) for path in paths)


def _other_owner(path):
    """The name or number of the user whose a file is, or None if it is the present one's."""
    if (uid := os.stat(path).st_uid) == os.geteuid():
        return None
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _is_of_use(record):
    """Whether a message of Snakemake is no warning about outputs that did not exist before."""
    return not str(record.msg).startswith("Cannot restore ")


class _Reports(logging.Handler):
    """A handler of Snakemake's log, which tells of jobs that begin and end."""

    def __init__(self, planner):
        super().__init__()
        self._planner, self._jobs = planner, {}

    def emit(self, record):
        event = getattr(record, "event", None)
        if self._planner.workflow.dryrun:
            return
        if event == LogEvent.JOB_FINISHED:
            self._planner.job_ends(self._job(record.job_id))
        elif event == LogEvent.JOB_STARTED:
            for job in filter(None, map(self._job, record.jobs)):
                self._planner.job_begins(job)
        elif event == LogEvent.GROUP_INFO:
            for job in record.jobs:
                self._planner.job_begins(job)

    def _job(self, number):
        """The job with a number of this call; None for the name of a group."""
        if number not in self._jobs:
            self._jobs = {n: job for job, n in self._planner.workflow.dag._jobid.items()}
        return self._jobs.get(number)
