"""What a Snakefile calls after its last rule."""

import re
import sys

from snakemake.exceptions import WorkflowError
from snakemake.io import flag, is_flagged

from snakefresh.planner import Planner
from snakefresh.records import describe_damage, read_record
from snakefresh.stages import Stage
from snakefresh.traces import Place


def watch(
    workflow,
    settings=None,
    reads=None,
    shortcuts=(),
    unaffected_by=None,
    left_alone=(),
    environment=(),
    links=None,
    why_new=None,
):
    """Let Snakemake run exactly what is stale of the rules so far; return a Watched.

    `settings` is a mapping, or a function of the wildcards that returns one, and `reads` has the
    keys that the script of a rule reads, {rule: [key, ...]}: `recorded` yields these. The inputs
    named in `shortcuts` only save work. `unaffected_by` has the params of rules that change no
    result, {rule: [name, ...]}, and "threads", "resources" or "rule" where a script reads them. The
    rules `left_alone` are Snakemake's; what they make counts by its content. The variables of the
    `environment` count for all rules. `links` has paths that a rule makes and Snakemake cannot have
    as outputs, {rule: [path, ...]}. `why_new`, a function of a rule's name and the wildcards, says
    why there is no result yet.

    Raises WorkflowError for names that are no rules, and for rules that cannot be served.
    """
    if workflow.storage_settings and workflow.storage_settings.default_storage_provider:
        raise WorkflowError("snakefresh needs results in a folder, not in a default storage")
    planner = workflow.__dict__.setdefault("_snakefresh", None) or Planner(workflow)
    workflow._snakefresh = planner  # of this call of Snakemake, for all that call `watch`
    reads, unaffected_by, links = reads or {}, unaffected_by or {}, links or {}
    rules = {
        name: proxy.rule
        for name, proxy in workflow.modifier.rule_proxies._rules.items()
        if proxy.rule not in planner.stages
    }
    tables = {"reads": reads, "unaffected_by": unaffected_by, "links": links}
    for table, names in {**tables, "left_alone": left_alone}.items():
        # A module may have only some of its rules.
        unknown = [n for n in names if n not in rules and workflow.modifier.avail_rulename(n)]
        if unknown:
            raise WorkflowError(f"watch(..., {table}=...): there is no rule {', '.join(unknown)}")
    folder = str(workflow.current_basedir.get_path_or_uri(secret_free=True))
    place = Place(folder, workflow.modifier.globals.get("config"))
    stages = {
        name: Stage(name, rule, place, settings or {})
        for name, rule in rules.items()
        if rule.output and not rule.norun and name not in left_alone
    }
    for name, stage in stages.items():
        stage.reads, stage.links = list(reads.get(name, ())), list(links.get(name, ()))
        stage.unaffected_by = frozenset(unaffected_by.get(name, ()))
        stage.shortcuts, stage.environment = frozenset(shortcuts), tuple(environment)
        stage.why_new = why_new or stage.why_new
        planner.stages[stage.rule] = stage
        _refuse_unsupported(stage)
        _prepare(stage, planner)
    return Watched(planner, stages)


class Watched:
    """What a workflow may ask about its results. `wildcards` are those of the outputs of a rule."""

    def __init__(self, planner, stages):
        self._planner, self._stages = planner, stages

    def is_current(self, rule, wildcards):
        """Return whether a result exists and all that decides it is as it was."""
        return self._planner.why_stale(self._result(rule, wildcards)) is None

    def is_current_by_record(self, rule, wildcards):
        """Return the same for the inputs that the record names, whatever the present ones are."""
        return self.inputs_by_record(rule, wildcards) is not None

    def inputs_by_record(self, rule, wildcards):
        """Return the inputs {name or "": [path, ...]} that the record of a result names.

        Returns None if the result is not current, as far as it depends on these. No input function
        is called, so the one of this very rule may ask.
        """
        result = self._result(rule, wildcards)
        inputs = (read_record(result.record) or {"wiring": {"inputs": None}})["wiring"]["inputs"]
        is_current = inputs is not None and self._planner.why_stale(result, inputs) is None
        return inputs if is_current else None

    def check(self, path):
        """Return the path of a file that is read outside of jobs; end here if it is damaged.

        (Of an exception in an input function, Snakemake would print a traceback.)
        """
        if self._planner.is_damaged(path):
            sys.exit(describe_damage(path))
        return path

    def runs(self, rule, wildcards):
        """Return whether this call of Snakemake makes a result, or has made it.

        It is decided once, when planning comes to the result, and stays so.
        """
        return self._planner.runs(self._result(rule, wildcards))

    @property
    def forces(self):
        """Whether the user forces anything, so that current results may be made again."""
        return self._planner.forces

    def _result(self, rule, wildcards):
        return self._planner.result(self._stages[rule], wildcards)


def _refuse_unsupported(stage):
    """Raise WorkflowError for a rule that cannot have records."""
    rule, problem = stage.rule, None
    if rule.shadow_depth:
        problem = "has `shadow`, so its outputs would move after their record was written"
    elif any(is_flagged(o, kind) for o in rule.output for kind in ("pipe", "service")):
        problem = "has a pipe or a service, which keeps no files"
    elif rule.cwl or rule.template_engine:
        problem = "is for CWL or a template engine"
    elif stage.is_python and "{" not in str(rule.script):
        path = stage.place.find(stage.script({}))
        try:
            with open(path, "rb") as file:
                if b"snakefresh" not in file.read():
                    problem = (
                        f"has a script, {stage.script({})}, that does not begin with "
                        "`from snakefresh import recorded`, so nothing would be known of it"
                    )
        except FileNotFoundError:
            problem = None  # Snakemake says so if it runs
    if problem:
        raise WorkflowError(
            f"The rule {stage.name} {problem}. Change it, or leave it to Snakemake: "
            f"watch(..., left_alone=[{stage.name!r}])"
        )


def _prepare(stage, planner):
    """Give a rule what makes Snakemake run it or not, and its job what it needs."""
    rule = stage.rule
    rule.expand_input = lambda wildcards, groupid=None: planner.expand_input(
        stage, dict(wildcards), groupid
    )
    # (Params that ask for `input` or `output` are not compared by Snakemake.)
    if not hasattr(rule.params, "why") and not re.search(r"\{params\}", rule.shellcmd or ""):
        rule.message = rule.message or f"{rule.name}{{params.why}}"
        rule.set_params(why=lambda wildcards, output: planner.say_why(stage, _dict(wildcards)))
    if stage.is_python:
        rule.set_params(
            snakefresh=lambda wildcards, input: planner.plan_of_job(stage, _dict(wildcards), input)
        )
        for output in rule.output:
            if not is_flagged(output, "temp") and not is_flagged(output, "touch"):
                output._file = flag(output._file, "update")  # Snakemake leaves it to the job


def _dict(wildcards):
    return dict(wildcards.items())
