"""Faults that the workflow had once, or could have, for the walk to find.

Each is {name: [(file, text, new text)]}, edits of the workflow that put the fault back.
"""

TRACKER = "workflow/scripts/scratchnet/fingerprint/tracker.py"
COMMON = "workflow/rules/common.smk"
HANDLERS = "workflow/rules/handlers.smk"

HOLES = {
    # A stale job hides stale or missing results behind it.
    "hidden": [
        (TRACKER, "return not (maker and self._runs(*maker))", "return True"),
        (COMMON, "        if track.is_current(", "        if True or track.is_current("),
    ],
    # The summary of a failed sweep stands in the place of the complete one.
    "partial summary": [
        (HANDLERS, 'return Path("results/sweeps", SWEEP, "partial_summary.csv")', "return SUMMARY"),
        (HANDLERS, "    partial_summary().unlink(missing_ok=True)\n", ""),
    ],
    # Without a record, a result is taken for what its folder says.
    "no record": [
        (
            TRACKER,
            "self._recorded(stage, wildcards) == self.fingerprint_of(stage, wildcards)",
            "self._recorded(stage, wildcards) in (None, self.fingerprint_of(stage, wildcards))",
        )
    ],
    # Own data are inputs, and their modification times count.
    "own data": [(COMMON, "return [] if own else", 'return own["npz"] if own else')],
    # Results of the future hide edits, or let jobs fail.
    "future": [(TRACKER, "self._set_back_future_times([", "list([")],
    # A record is written before the work is done.
    "early record": [
        (
            "workflow/scripts/scratchnet/fingerprint/jobs.py",
            "    yield fingerprint\n",
            '    write_record(record, plan["text"])\n    yield fingerprint\n',
        ),
        # As a job that is killed: Snakemake deletes what a failed one has written.
        (
            "profiles/default/config.yaml",
            "keep-going: true",
            "keep-going: true\nkeep-incomplete: true",
        ),
    ],
    # `latest` is not made again.
    "latest": [(COMMON, '{"summarize": [LATEST]} if LATEST else {}', "{}")],
    # The `__init__.py` of a package does not count.
    "package": [
        (
            "workflow/scripts/scratchnet/fingerprint/code.py",
            '(path / "__init__.py", path.with_name',
            "(path.with_name",
        ),
        (
            "workflow/scripts/scratchnet/fingerprint/code.py",
            'path.with_name(f"{part}.py"))',
            'path.with_name(f"{part}.py"),)',
        ),
    ],
    # Earlier stages do not count.
    "after": [
        (
            "workflow/scripts/scratchnet/fingerprint/stages.py",
            "digest(canonical(after)) if after else None",
            "None",
        )
    ],
}
