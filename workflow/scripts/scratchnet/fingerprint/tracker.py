"""The Tracker makes Snakemake run exactly the stages that are stale.

A result is current when all its files are there and its record equals its present fingerprint;
nothing else counts. Snakemake decides by modification times (`rerun-triggers: [mtime]`), so the
Tracker gives it inputs from which it comes to the same conclusion:

- A stale stage has one more input, a file that planning writes anew each time (folder.py).
- A current stage has only `ancient` inputs, and none that a stale stage makes. So no job that runs
  is upstream of a current one. (Snakemake does not examine the jobs downstream of one that runs: it
  runs them, or stops at ancient inputs.)
"""

import os
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.io import ancient, unpack

from scratchnet.fingerprint.code import Library
from scratchnet.fingerprint.differences import describe_changes
from scratchnet.fingerprint.folder import Folder
from scratchnet.fingerprint.module_cache import ModuleCache
from scratchnet.fingerprint.records import read_record, record_path, write_record
from scratchnet.fingerprint.stages import fingerprint, stage_before
from scratchnet.fingerprint.values import digest

MODULE_CACHE = Path(".snakemake/modules.json")


class Tracker:
    """Decides which results of a workflow are current; makes the `input` and `params` of its rules.

    `workflow` and `rules` are Snakemake's globals. `stages` is {name: Stage}; the rule of a stage
    has its name, and its script is NAME.py in the folder `scripts`. The code of the `packages` in
    that folder counts. `settings_of` returns the settings, {key: value}, for wildcards.
    `wildcards_of` adds to wildcards what else the patterns of inputs use. `links` maps stages to
    paths that they make and that Snakemake cannot have as outputs: links to folders. `why_new`
    returns why a stage has no result yet, in words.
    """

    def __init__(
        self,
        workflow,
        rules,
        scripts: str | Path,
        packages: list[str],
        settings_of: Callable[[Mapping], Mapping],
        stages: Mapping,
        wildcards_of: Callable[[Mapping], Mapping] = dict,
        links: Mapping[str, list] | None = None,
        why_new: Callable[[str, Mapping], str] = lambda stage, wildcards: "for the first time",
    ):
        self._workflow, self._rules = workflow, rules
        self._folder = Folder(workflow)
        self._path_of = workflow.modifier.path_modifier.replace_prefix  # on disk, for one in a rule
        self._scripts, self._packages = Path(scripts), tuple(packages)
        self._library = Library(self._scripts, self._packages, ModuleCache(MODULE_CACHE))
        self._stages, self._settings_of, self._wildcards_of = stages, settings_of, wildcards_of
        self._links, self._why_new = links or {}, why_new
        self._patterns, self._fingerprints = {}, {}
        for name in ("_code_of", "_fingerprint", "_files", "_runs", "_is_forced", "_maker_of"):
            setattr(self, name, cache(getattr(self, name)))
        self._let_scripts_import_their_packages()

    def _let_scripts_import_their_packages(self):
        """Make scripts import the packages beside them, not installed ones of the same name.

        Snakemake puts the folder of a script last in `sys.path`; PYTHONPATH comes before.
        """
        paths = [str(self._scripts), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, paths)))

    # ---- For the rules.

    def inputs(self, stage, *patterns, **named_patterns):
        """Return the inputs of the rule of `stage`.

        A pattern is a path with {wildcards}, or a function of the wildcards that returns a path or
        a list of paths; a list of one counts as that path. The paths are results of stages, or
        files that no rule makes. Such a file does not count by itself: put a hash of its content
        into the settings.
        """
        self._patterns[stage] = dict(enumerate(patterns)) | named_patterns

        def named(wildcards):
            paths = self._inputs(stage, wildcards)
            found = {name: paths[name] for name in named_patterns if paths[name]}
            return {name: own if len(own) > 1 else own[0] for name, own in found.items()}

        def unnamed(wildcards):
            paths = self._inputs(stage, wildcards)
            return [path for i in range(len(patterns)) for path in paths[i]] + paths["planned"]

        return [*([unpack(named)] if named_patterns else []), unnamed]

    def fingerprint(self, stage):
        """Return a param for the script of `stage`: what `jobs.recorded` needs."""

        def plan(wildcards, output):  # as it asks for `output`, Snakemake does not compare it
            wildcards = dict(wildcards.items())
            makers = self._makers(stage, wildcards)
            execution = self._workflow.execution_settings  # None where nothing runs: --rulegraph
            return {
                "text": self.fingerprint_of(stage, wildcards),
                "files": self._code_of(stage).files,
                "packages": self._packages,
                "made_from": {
                    str(self._record(*maker)): digest(self.fingerprint_of(*maker))
                    for maker in makers
                },
                "latency_wait": execution.latency_wait if execution else 0,
            }

        return plan

    def why(self, stage):
        """Return a param for the message of the rule: why the stage runs, in parentheses."""

        def reason(wildcards, output):
            wildcards = dict(wildcards.items())
            before, now = self._recorded(stage, wildcards), self.fingerprint_of(stage, wildcards)
            if before is None and all(map(os.path.exists, self._outputs(stage, wildcards))):
                return " (there is no record of how its result was made)"
            if before is None:
                return f" ({self._why_new(stage, wildcards)})"
            if before != now:
                follows = stage_before(self._stages, stage, self._settings_of(wildcards))
                return f" ({describe_changes(before, now, follows)})"
            if self.is_current(stage, wildcards):
                return " (once more)"
            return " (its result is missing)"

        return reason

    # ---- About results. `wildcards` are those of the outputs of the rule.

    def is_current(self, stage, wildcards):
        """Return whether a result of `stage` exists and has the present fingerprint."""
        return (
            self._recorded(stage, wildcards) == self.fingerprint_of(stage, wildcards)
            and all(map(os.path.exists, self._outputs(stage, wildcards)))
            and all(map(os.path.lexists, self._links.get(stage, [])))  # targets may come later
        )

    def runs(self, stage, wildcards):
        """Return whether this call of Snakemake makes a result, or has made it already.

        It is decided once, when planning comes to the result, and stays so after it was made.
        """
        return self._runs(stage, frozenset(wildcards.items()))

    @property
    def forces(self):
        """Whether the user forces anything, so that current results may be made again."""
        return self._workflow.dag_settings.forceall or bool(self._forced)

    def fingerprint_of(self, stage, wildcards):
        """Return the present fingerprint of a result of `stage`."""
        return self._fingerprint(stage, frozenset(wildcards.items()))

    def _fingerprint(self, stage, wildcards):
        settings = self._settings_of(dict(wildcards))
        return fingerprint(self._stages, stage, settings, self._parts_of, self._fingerprints)

    def _parts_of(self, stage):
        return self._code_of(stage).parts

    def _code_of(self, stage):
        return self._library.read_code(f"{stage}.py")

    def _recorded(self, stage, wildcards):
        return read_record(self._record(stage, wildcards))

    def _record(self, stage, wildcards):
        return record_path(self._outputs(stage, wildcards)[0])

    def _outputs(self, stage, wildcards):
        return self._files(stage, frozenset(wildcards.items()))

    def _files(self, stage, wildcards):
        outputs, wildcards = self._rule(stage).output, dict(wildcards)
        return [str(output.apply_wildcards(wildcards)) for output in outputs]

    def _rule(self, stage):
        return getattr(self._rules, stage).rule

    def accept_touched(self):
        """After a run with --touch, record that what it touched is current, whatever made it.

        What is made from results that do not exist is not accepted. Call this in the handler
        `onsuccess`: Snakemake only changes modification times.
        """
        stages = {self._rule(stage).name: stage for stage in self._known_stages()}
        touched = {
            (stages[job.rule.name], frozenset(job.wildcards.items()))
            for job in (self._workflow.dag.finished_jobs if self._workflow.touch else ())
            if job.rule.name in stages
        }
        while touched:
            self._accept(touched.pop(), touched)

    def _accept(self, result, touched):
        """Record that a result is current if what it is made from is, which leaves `touched`."""
        stage, wildcards = result[0], dict(result[1])
        makers = self._makers(stage, wildcards)
        for maker, own in makers:
            if (earlier := (maker, frozenset(own.items()))) in touched:
                touched.remove(earlier)
                self._accept(earlier, touched)
        exists = all(map(os.path.exists, self._outputs(stage, wildcards)))
        if exists and all(self.is_current(*maker) for maker in makers):
            write_record(self._record(stage, wildcards), self.fingerprint_of(stage, wildcards))

    # ---- Making Snakemake run exactly what is stale.

    def _inputs(self, stage, wildcards):
        """{name of the pattern: [path, ...]}, and under "planned" what makes it run or not."""
        wildcards = dict(wildcards.items())
        paths = self._paths(stage, wildcards)
        if not self._workflow.is_main_process:
            # A job on a cluster runs by itself. What it reads is there, or is made by its group.
            return {name: list(map(ancient, own)) for name, own in paths.items()} | {"planned": []}
        if self._runs(stage, frozenset(wildcards.items())):
            inputs = [self._path_of(path) for own in paths.values() for path in own]
            return paths | self._folder.let_run(inputs, self._outputs(stage, wildcards))
        kept = {
            name: [ancient(path) for path in own if self._is_there_and_stays(path)]
            for name, own in paths.items()
        }
        return kept | self._folder.let_rest()

    def _runs(self, stage, wildcards):
        """Whether a stage is stale, or the user forces it.

        With Snakemake's trigger `input`, a current stage runs as well if one runs that it reads
        from: Snakemake would run it anyway, and without waiting, as its set of inputs changes.
        """
        if not self.is_current(stage, dict(wildcards)) or self._is_forced(stage, wildcards):
            return True
        return "input" in map(str, self._workflow.dag_settings.rerun_triggers) and any(
            self._runs(maker, frozenset(own.items()))
            for maker, own in self._makers(stage, dict(wildcards))
        )

    def _is_forced(self, stage, wildcards):
        """Whether the user forces a stage, or one whose results it reads."""
        forceall = self._workflow.dag_settings.forceall
        if forceall or not self._forced:
            return forceall
        names = {self._rule(stage).name, *self._outputs(stage, dict(wildcards))}
        return not names.isdisjoint(self._forced) or any(
            self._is_forced(maker, frozenset(own.items()))
            for maker, own in self._makers(stage, dict(wildcards))
        )

    @cached_property
    def _forced(self):
        """The names of rules and the paths that the user forces."""
        dag = self._workflow.dag_settings
        forced = {*map(str, dag.forcerun), *(map(str, dag.targets) if dag.forcetargets else ())}
        return forced | set(map(self._path_of, forced))

    def _is_there_and_stays(self, path):
        path = self._path_of(path)
        if not os.path.exists(path):
            return False
        maker = self._maker_of(path)
        return not (maker and self._runs(*maker))

    def _paths(self, stage, wildcards):
        """{name of the pattern: [path, ...]} of the inputs of a stage."""
        if stage not in self._patterns:
            raise WorkflowError(f"the rule of the stage {stage} needs `input: track.inputs(...)`")
        wildcards, found = self._wildcards_of(wildcards), {}
        for name, pattern in self._patterns[stage].items():
            paths = pattern(wildcards) if callable(pattern) else pattern.format(**wildcards)
            found[name] = [paths] if isinstance(paths, str) else list(paths)
        return found

    def _makers(self, stage, wildcards):
        """The results, as (stage, wildcards), that the inputs of a stage are files of."""
        paths = [path for own in self._paths(stage, wildcards).values() for path in own]
        makers = dict.fromkeys(self._maker_of(self._path_of(path)) for path in paths)
        return [(maker, dict(own)) for maker, own in filter(None, makers)]

    def _maker_of(self, path):
        """The result, as (stage, frozenset of wildcards), that a file belongs to, or None."""
        for stage in self._known_stages():
            for output in self._rule(stage).output:
                if match := output.match(path):
                    return stage, frozenset(match.groupdict().items())
        for rule in self._workflow.rules:
            if rule.is_producer(path):
                raise WorkflowError(
                    f"{path} is made by the rule {rule.name}, which is not a stage: "
                    "changes of what it depends on would go unnoticed. Add it to the stages."
                )
        return None

    def _known_stages(self):
        """The stages whose rules exist: another workflow may use only some of them."""
        return [stage for stage in self._stages if self._rules.has(stage)]
