"""Faults that the workflow once had, or could have: the walk has to find each of them.

A fault is a few edits of the workflow, and what the walk does to find it: with all operations, it
would take hours.
"""

from dataclasses import dataclass

CODE = "workflow/scripts/snakefresh/code.py"
JOBS = "workflow/scripts/snakefresh/jobs.py"
PLANNER = "workflow/scripts/snakefresh/planner.py"
REASONS = "workflow/scripts/snakefresh/reasons.py"
TRACES = "workflow/scripts/snakefresh/traces.py"
TRACING = "workflow/scripts/snakefresh/tracing.py"
SNAKEFILE = "Snakefile"
COMMON = "workflow/rules/common.smk"
CLOSING = "workflow/scripts/scratchnet/closing.py"


@dataclass(frozen=True)
class Hole:
    """`edits` are (file, text, new text). The walk does only these `operations`, named as methods
    of Walk, with these `configs` and `code_edits` of world.py.
    """

    edits: tuple
    operations: tuple
    configs: tuple = ("default", "style", "2 epochs", "learning rate")
    code_edits: tuple = ("initializers",)


HOLES = {
    # A stale job hides stale or missing results behind it.
    "hidden": Hole(
        (
            (PLANNER, " and not ((maker := self.maker(path)) and self.runs(maker))", ""),
            (
                COMMON,
                "if watched.is_current_by_record(",
                "if True or watched.is_current_by_record(",
            ),
        ),
        ("edit_settings", "edit_code", "undo", "delete_files"),
        configs=("default", "2 epochs", "6 epochs"),
    ),
    # The summary of a failed sweep stands in the place of the complete one.
    "partial summary": Hole(
        (
            (
                CLOSING,
                "Path(paths.PARTIAL_SUMMARY.format(sweep=runs.sweep))",
                "Path(paths.SUMMARY)",
            ),
            (CLOSING, "        self.partial_summary.unlink(missing_ok=True)\n", ""),
        ),
        ("edit_settings", "diverge"),
    ),
    # Without a record, a result is taken for what its folder says.
    "no record": Hole(
        (
            (
                PLANNER,
                "        if before is None:\n",
                "        if before is None and result.exists():\n"
                "            return None\n"
                "        if before is None:\n",
            ),
        ),
        ("edit_settings", "edit_code", "delete_records"),
    ),
    # Results with a modification time in the future make jobs fail.
    "future": Hole(
        ((PLANNER, "                _set_back_future_times(files)\n", ""),),
        ("edit_settings", "edit_code", "touch"),
    ),
    # A missing `latest` is not made again.
    "latest": Hole(
        ((SNAKEFILE, '{"summarize": [LATEST]} if RUNS.has_best else {}', "{}"),), ("delete_files",)
    ),
    # The `__init__.py` of a package does not count.
    "package": Hole(
        ((CODE, 'runs = name == "" or', 'runs = name == "" and "__init__" not in file or'),),
        ("edit_code", "undo"),
        code_edits=("package",),
    ),
    # What code names does not count, only what was executed.
    "unfollowed": Hole(
        ((CODE, "            queue.extend(part.names if part else ())\n", ""),),
        ("edit_code", "undo"),
        code_edits=("plots",),
    ),
    # What the results before were made by does not count.
    "inherited": Hole(
        ((PLANNER, '[*before["own"], *before["inherited"]]', 'before["own"]'),),
        ("edit_code", "ask_for_a_part", "undo"),
        code_edits=("initializers", "preprocessing"),
    ),
    # A job has nothing to do where its code was edited, and its inputs are the same.
    "cut off": Hole(
        ((JOBS, "return all(own) and not any(", "return True or not any("),),
        ("edit_code", "undo"),
    ),
    # A function counts only as far as other code names it, not because it was executed.
    "executed": Hole(
        (
            (
                TRACES,
                """if (name := part.partition(":")[2]) and name[0] not in "=?<\"""",
                """if (name := part.partition(":")[2]) and "late" not in name""",
            ),
        ),
        ("edit_code", "undo"),
        code_edits=("name at run time",),
    ),
    # Where modules are found does not count.
    "hiding": Hole(
        ((TRACES, '"modules": _find_modules(trace, place)', '"modules": {}'),),
        ("edit_code", "undo"),
        code_edits=("package before a module",),
    ),
    # Data files that code reads do not count.
    "data": Hole(
        ((TRACES, """answer(path, place) for path in trace["data"]""", "None for path in ()"),),
        ("edit_code", "undo"),
        code_edits=("data of code",),
    ),
    # The order of classes that register themselves does not count.
    "registry": Hole(
        ((CODE, "if len(deriving) > 1:", "if False:"),),
        ("edit_code", "undo"),
        code_edits=("order of a registry",),
    ),
    # Byte code is that of a source file with the same size and modification time.
    "byte code": Hole(
        (
            (
                TRACING,
                'stamp = digest(f"{digest(source)} {file}',
                'stamp = digest(f"{os.stat(self.path).st_mtime_ns} {len(source)} {file}',
            ),
        ),
        ("edit_code", "undo"),
        code_edits=("re-export",),
    ),
    # What a rule says does not count.
    "wiring": Hole(
        (
            (
                REASONS,
                'wiring = _differing(before["wiring"], now["wiring"])',
                "wiring = []",
            ),
        ),
        ("edit_code", "undo"),
        code_edits=("script of a rule",),
    ),
}
