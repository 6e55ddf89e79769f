"""Accept the results that a change of code or settings would not change, after proving it.

    python workflow/tools/verify.py [TARGET ...]

The stages whose own code or settings have changed run once more, in a copy of the project. Where
all files come out the same, byte for byte, the existing results are recorded as current, and the
results made from them stay current too: nothing behind an unchanged result needs to run. All else
stays as it is, and stale. Times and versions that a result mentions are not compared.
"""

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from scratchnet.files import read_csv
from scratchnet.fingerprint.records import read_record, record_path, write_record
from scratchnet.fingerprint.stages import hash_of_fingerprints
from scratchnet.planning.lock_owner import is_locked
from scratchnet.planning.paths import RESULTS

COPY = Path(".snakemake/verify")
NOT_COMPARED = {"seconds", "seconds_sd", "environment"}
NOT_COPIED = (".snakemake", RESULTS)
LOGS = ("logs", "benchmarks")


@dataclass(eq=False)
class Result:
    """What one job makes: its rule, its outputs, and the results that it is made from."""

    rule: str
    outputs: list
    inputs: set
    makers: set = field(default_factory=set)

    @cached_property
    def record(self):
        """The path of the record: beside the first output, so beside the only one that has one."""
        paths = map(record_path, self.outputs)
        return next((path for path in paths if (COPY / path).exists()), None)

    @cached_property
    def before(self):
        """The fingerprint that it was made with, or None."""
        return self.record and read_record(self.record)

    @cached_property
    def now(self):
        """The fingerprint that it should have, or None where there is no such result."""
        return self.record and read_record(COPY / self.record)

    @cached_property
    def is_stale(self):
        return not self.is_there or self.before != self.now

    @cached_property
    def is_there(self):
        return self.before is not None and all(Path(output).exists() for output in self.outputs)

    @cached_property
    def has_changed_itself(self):
        """Whether its own code or settings have changed, not only those of a stage before it."""
        before, now = parse(self.before), json.loads(self.now)
        return any(before.get(what) != now[what] for what in ("code", "settings"))

    @cached_property
    def is_of_what_is_there(self):
        """Whether it was made from the results that are there now, at any distance."""
        if not self.is_stale:
            return True
        after = parse(self.before).get("after")
        known = {hash_of_fingerprints([maker.before]) for maker in self.makers if maker.before}
        return (after is None or after in known) and all(
            maker.is_of_what_is_there for maker in self.makers
        )


def parse(fingerprint):
    """Return a recorded fingerprint as a mapping; a damaged one is empty."""
    try:
        return dict(json.loads(fingerprint))
    except (ValueError, TypeError):
        return {}


def main():
    targets = sys.argv[1:]
    if is_locked():
        sys.exit("A run is active in this folder, or was killed there. Wait for it, or: make run")
    shutil.rmtree(COPY, ignore_errors=True)
    try:
        copy_project()
        run_snakemake("--touch", *targets)  # the copy now has the records of current results
        verify(read_results(targets))
    finally:
        shutil.rmtree(COPY, ignore_errors=True)


def verify(results):
    """Repeat what may differ, accept what is proven to be the same, and say so."""
    stale = [result for result in results if result.is_stale]
    if not stale:
        print("Nothing to verify: everything is current.")
        return
    repeated = [
        result
        for result in stale
        if result.is_there and (result.has_changed_itself or not result.is_of_what_is_there)
    ]
    repeat(repeated)
    differences = {result: find_differences(result) for result in repeated}
    unproven = [result for result in stale if not result.is_there or differences.get(result)]
    unproven = add_what_follows(unproven, stale)
    accepted = [result for result in stale if result not in unproven]
    for result in accepted:
        write_record(result.record, result.now)
    describe(differences)
    print(f"Accepted as current: {len(accepted)}")
    if unproven:
        print("Still stale: what is missing or different, and what is made from it (see: make why)")


def copy_project():
    """Copy the results to COPY, and link to everything else."""
    COPY.mkdir(parents=True)
    for path in Path().iterdir():
        if path.name not in NOT_COPIED:
            (COPY / path.name).symlink_to(path.absolute())
    Path(RESULTS).mkdir(exist_ok=True)
    shutil.copytree(RESULTS, COPY / RESULTS, symlinks=True, ignore=shutil.ignore_patterns(*LOGS))


def run_snakemake(*arguments, show=False):
    """Run Snakemake in the copy; return what it prints to stdout. Exits if it fails."""
    command = [sys.executable, "-m", "snakemake", "--cores", "all", *map(str, arguments)]
    output = None if show else subprocess.PIPE
    process = subprocess.run(
        command, cwd=COPY, stdout=output, stderr=output, text=True, check=False
    )
    if process.returncode:
        sys.exit(f"{process.stdout or ''}{process.stderr or ''}\nNothing was accepted.".strip())
    return process.stdout


def read_results(targets):
    """Return the results that the targets need.

    The outputs of a job have the same log file. Of results that are current, Snakemake may not know
    logs and inputs in the copy: it knows those of what was touched.
    """
    lines = run_snakemake("--detailed-summary", *targets).splitlines()
    header = next(line for line in lines if line.startswith("output_file\t"))
    results, maker_of = {}, {}
    for line in lines[lines.index(header) + 1 :]:
        row = dict(zip(header.split("\t"), line.split("\t")))
        job = row["rule"], row["log-file(s)"]
        result = results.setdefault(job, Result(row["rule"], [], set()))
        result.outputs.append(row["output_file"])
        result.inputs |= set(row["input-file(s)"].split(","))
        maker_of[row["output_file"]] = result
    for result in results.values():
        result.makers = {maker_of[path] for path in result.inputs & maker_of.keys()}
    return list(results.values())


def repeat(results):
    """Make `results` once more in the copy. Nothing else runs there, as all else is current."""
    for result in results:
        write_record(COPY / result.record, result.before)
    if results:
        run_snakemake(*(result.outputs[0] for result in results), show=True)


def find_differences(result):
    """Return the outputs that came out different."""
    return [path for path in result.outputs if content(Path(path)) != content(COPY / path)]


def content(path):
    """Return what is compared of a file: its bytes, or what it says apart from NOT_COMPARED."""
    data = path.read_bytes()
    if path.suffix == ".json" and any(f'"{name}":'.encode() in data for name in NOT_COMPARED):
        return without_what_varies(json.loads(data))
    if path.suffix == ".csv" and any(name.encode() in data for name in NOT_COMPARED):
        return [without_what_varies(row) for row in read_csv(path)]
    return data


def without_what_varies(values):
    return {name: value for name, value in values.items() if name not in NOT_COMPARED}


def add_what_follows(results, among):
    """Return `results` and those of `among` that are made from them, at any distance."""
    found = set(results)
    while more := {other for other in among if found & other.makers} - found:
        found |= more
    return found


def describe(differences):
    """Say how many results of each rule came out the same, and which files did not."""
    counts = defaultdict(list)
    for result, paths in differences.items():
        counts[result.rule].append(not paths)
    for rule, same in counts.items():
        print(f"{rule}: {sum(same)} of {len(same)} results came out the same")
    for path in chain.from_iterable(differences.values()):
        print(f"  different: {path}")


if __name__ == "__main__":
    main()
