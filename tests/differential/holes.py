"""Faults that the workflow once had, or could have: the walk has to find each of them.

A fault is a few edits of the workflow, and what the walk does to find it: with all operations, it
would take hours.
"""

from dataclasses import dataclass

CODE = "workflow/scripts/snakefresh/code.py"
JOBS = "workflow/scripts/snakefresh/jobs.py"
PLANNER = "workflow/scripts/snakefresh/planner.py"
SNAKEFILE = "Snakefile"
COMMON = "workflow/rules/common.smk"
HANDLERS = "workflow/rules/handlers.smk"


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
                HANDLERS,
                "PARTIAL_SUMMARY = Path(paths.PARTIAL_SUMMARY.format(sweep=RUNS.sweep))",
                "PARTIAL_SUMMARY = SUMMARY",
            ),
            (HANDLERS, "    PARTIAL_SUMMARY.unlink(missing_ok=True)\n", ""),
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
        ((SNAKEFILE, '{"summarize": [LATEST]} if LATEST else {}', "{}"),), ("delete_files",)
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
}
