"""What happens in the process of a job: its trace, its record; its end where nothing has changed.

Importing this module begins all of it, so `from snakefresh import recorded` comes first in a
script. In a process without a job, such as a child that imports the script again, it does nothing.
"""

import ast
import os
import re
import shutil
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from snakefresh import tracing
from snakefresh.contents import content
from snakefresh.records import (
    AGAIN,
    RecordError,
    delete_record,
    describe_damage,
    identity,
    read_record,
    read_trace,
    write_record,
    write_trace,
)
from snakefresh.traces import Place, differences, present

PREAMBLE_END = b"######## snakemake preamble end #########\n"


class Job:
    """A job of Snakemake, from the object `snakemake` of its script, and the plan in its params."""

    def __init__(self, snakemake):
        self.snakemake = snakemake
        plan = self.plan = snakemake.params.snakefresh
        # (The attribute `params` is a copy.)
        _forget_params(getattr(snakemake, "_params_store", snakemake.params))
        self.config = tracing.Noted(snakemake.config)
        self.place = Place(plan["base"], snakemake.config)
        self.source = _executed_source(self.place.find(plan["script"]))
        self.outputs = [path for path in snakemake.output if path not in plan["touched"]]
        self.stamps = {path: _stamp(path) for path in snakemake.input}
        self.inputs = {path: content(path) for path in snakemake.input}
        self.makers = self.read_makers()

    def read_makers(self):
        """{input: (record, folder of its traces)}; ends where an input is not as planned."""
        deadline, found = time.monotonic() + self.plan["latency_wait"], {}
        for path, (record, traces, planned) in self.plan["made_by"].items():
            while not _is_planned(known := read_record(record), planned):
                if time.monotonic() > deadline:
                    made = (
                        "made with other settings or code than planned" if known else "not recorded"
                    )
                    sys.exit(f"{path} was {made}. {AGAIN}")
                time.sleep(0.1)
                with suppress(OSError):
                    os.listdir(os.path.dirname(record))  # makes a network file system look again
            if known["outputs"].get(path, self.inputs[path]) != self.inputs[path]:
                sys.exit(describe_damage(path))
            found[path] = known, traces
        for path, planned in self.plan["upstream"].items():
            if path not in found and planned and planned != self.inputs[path]:
                sys.exit(f"{path} changed after this run was planned. {AGAIN}")
        return found

    def is_same_as_before(self):
        """Whether the same code would run with the same settings on the same inputs."""
        old, plan = read_record(self.plan["record"]), self.plan
        if not old or self.snakemake.bench_iteration:
            return False
        if any(old[key] != plan[key] for key in ("settings", "wiring")):
            return False
        if not all(map(os.path.lexists, plan["links"])):
            return False
        if self.counting(old["inputs"]) != self.counting(self.inputs):
            return False
        if old["outputs"] != {path: content(path) for path in self.outputs}:
            return False
        own = [read_trace(plan["traces"], name) for name in old["own"]]
        return all(own) and not any(differences(trace, present(trace, self.place)) for trace in own)

    def counting(self, inputs):
        return {path: known for path, known in inputs.items() if path not in self.plan["shortcuts"]}

    def reuse(self):
        """Record that the results are current, and end the process."""
        old = read_record(self.plan["record"])
        write_record(self.plan, self.inputs, old["outputs"], old["own"], self.makers)
        first, *others = self.snakemake.output
        more = f" and {len(others)} more" if others else ""
        print(f"the same as before: {first}{more}", file=sys.stderr)
        sys.exit(0)

    def begin(self):
        """Delete the results and their record, which Snakemake has left there, and trace."""
        plan = self.plan
        _check_script(self.source, plan["script"])
        delete_record(plan["record"])
        for path in self.outputs:
            _delete(path)
        self.snakemake.config = self.config
        self.snakemake.__class__ = _watching(type(self.snakemake), plan)
        tracing.written.update(map(os.path.abspath, plan["links"]))  # wherever they led before
        tracing.start(self.place)
        tracing.sources[plan["script"]] = self.source

    def run(self):
        """Execute the script, with marks in its functions, in place of the one that runs."""
        script = self.plan["script"]
        path = os.path.normpath(self.place.find(script))
        try:
            code = tracing.compile_marked(self.source, path, script)
            exec(code, sys.modules["__main__"].__dict__)
        except SystemExit:
            raise
        except BaseException as error:
            trace = error.__traceback__.tb_next  # without this function
            sys.excepthook(type(error), error.with_traceback(trace), trace)
            sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)
        sys.exit(0)

    def refuse_damaged_inputs(self):
        """Raise RecordError if an input is no longer what it was: the script failed for that."""
        tracing.stop()
        for path, known in self.inputs.items():
            if content(path, remembers=False) != known:
                raise RecordError(describe_damage(path))

    def write_record(self):
        """Record how the results were made. Raises RecordError where that cannot be known."""
        tracing.stop()
        plan = self.plan
        changed = [p for p, stamp in self.stamps.items() if _stamp(p) != stamp]
        if any(content(path) != self.inputs[path] for path in changed):
            raise RecordError(f"{', '.join(changed)} changed while it was read. {AGAIN}")
        if others := [
            t.name for t in threading.enumerate() if not (t.daemon or t is threading.main_thread())
        ]:
            raise RecordError(f"{', '.join(others)}: a thread of this job still runs at its end")
        outputs = {path: content(path) for path in self.outputs}
        if missing := [path for path, known in outputs.items() if known is None]:
            raise RecordError(f"{', '.join(missing)}: not made, or it cannot be read")
        own = {write_trace(plan["traces"], self.trace())}
        for path in plan["shortcuts"]:  # as if the job had executed itself what it continues
            if path in self.makers:
                record, folder = self.makers[path]
                for name in record["own"]:
                    own.add(write_trace(plan["traces"], read_trace(folder, name)))
        write_record(plan, self.inputs, outputs, own, self.makers)

    def trace(self):
        """Return the trace of the job, which ends here."""
        snakemake, plan = self.snakemake, self.plan
        given = {
            *snakemake.input,
            *snakemake.output,
            *snakemake.log,
            plan["record"],
            *plan["links"],
        }
        # A folder that has all of the project in it is not what a param means.
        given |= {path for path in plan["free"] if not self.place.is_below(path)}
        declared = {os.path.abspath(path) for path in given} | set(map(os.path.realpath, given))
        asked, loaded = tracing.questions(plan["script"], declared)
        for name in asked["data"]:
            for rule, pattern in plan["made_elsewhere"]:
                if re.fullmatch(pattern, os.path.relpath(self.place.find(name))):
                    raise RecordError(
                        f"{plan['script']} reads {name}, which the rule {rule} makes: "
                        "name it among the inputs of the rule"
                    )
        asked["config"] = dict.fromkeys(self.config.read)
        return present(asked, self.place, (*loaded, self.config.read))


def _forget_params(params):
    """Take away the last params, which are for the engine."""
    for name in ("snakefresh", "why"):
        if params._names.get(name) == (len(params) - 1, None):
            del params[-1], params._names[name], params.__dict__[name]


def _is_planned(record, planned):
    return record is not None and planned in (None, identity(record))


def _stamp(path):
    try:
        found = os.stat(path)
        return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
    except OSError:
        return None


def _executed_source(script):
    """The text of the script as it runs: the file may have changed since Snakemake read it."""
    source = Path(script).read_bytes()
    running = Path(sys.modules["__main__"].__real_file__).read_bytes()
    running = running.partition(PREAMBLE_END)[2]
    return source if running.splitlines() == source.splitlines() else running


def _check_script(source, name):
    """End the process if something would run after the trace has ended."""
    last = ast.parse(source).body[-1]
    while isinstance(last, ast.If):
        last = last.body[-1]
    if not isinstance(last, ast.With):
        sys.exit(
            f"{name}: its last statement must be `with recorded(snakemake) as settings:`; "
            "what comes after it would not be traced"
        )


def _delete(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        Path(path).unlink(missing_ok=True)


def _watching(kind, plan):
    """The class of the object `snakemake`, refusing what differs from run to run."""

    def refuse(name):
        def read(self):
            raise RecordError(
                f"{plan['script']} reads snakemake.{name}, which may differ from run to run. If it "
                "changes no result, say so: "
                f"watch(..., unaffected_by={{{plan['rule']!r}: [{name!r}]}})"
            )

        return property(read)

    refused = {"threads", "resources", "rule"} - plan["may_read"]
    return type(kind.__name__, (kind,), {name: refuse(name) for name in refused})


@contextmanager
def recorded(snakemake):
    """Yield the settings that the stage reads; after the block, record how its results were made.

    `snakemake` is the object of that name in scripts. The block must be the last statement of the
    script. Raises RecordError if an input changed meanwhile, if an output was not made, or if the
    script read a file of another rule that is no input; and where the block fails, if an input is
    damaged. Where no `watch` has planned the job, there are no settings, and nothing is recorded.
    """
    try:
        yield job.plan["settings"] if job else {}
    except SystemExit as end:
        if job and not end.code:  # None or 0: success
            job.write_record()
        raise
    except Exception:
        if job:
            job.refuse_damaged_inputs()
        raise
    if job:
        job.write_record()


job = None
main = getattr(sys.modules["__main__"], "snakemake", None)
if hasattr(getattr(main, "params", None), "snakefresh"):
    job = Job(main)
    if job.is_same_as_before():
        job.reuse()
    job.begin()
    job.run()
