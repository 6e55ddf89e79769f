"""Faults that the workflow once had, or could have: the walk has to find each of them.

A fault is a few edits of the workflow, and what the walk does to find it: with all operations, it
would take hours.
"""

from dataclasses import dataclass

TRACKER = "workflow/scripts/scratchnet/fingerprint/tracker.py"
FOLDER = "workflow/scripts/scratchnet/fingerprint/folder.py"
CODE = "workflow/scripts/scratchnet/fingerprint/code.py"
STAGES = "workflow/scripts/scratchnet/fingerprint/stages.py"
COMMON = "workflow/rules/common.smk"
HANDLERS = "workflow/rules/handlers.smk"

NO_SETTING_BACK = (FOLDER, "self._set_back_future_times([", "list([")


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
            (TRACKER, "return not (maker and self._runs(*maker))", "return True"),
            (COMMON, 'if track.is_current("train"', 'if True or track.is_current("train"'),
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
                TRACKER,
                "self._recorded(stage, wildcards) == self.fingerprint_of(stage, wildcards)",
                "self._recorded(stage, wildcards) in (None, self.fingerprint_of(stage, wildcards))",
            ),
        ),
        ("edit_settings", "edit_code", "delete_records"),
    ),
    # The user's own data are inputs, and their modification times count.
    "own data": Hole(
        (
            (
                COMMON,
                "            return []\n",
                """            return settings_of({"data": wildcards["data"]})["files"]["npz"]\n""",
            ),
            NO_SETTING_BACK,
        ),
        ("edit_data", "touch"),
        configs=("own", "own, style"),
    ),
    # Results with a modification time in the future hide edits, or make jobs fail.
    "future": Hole((NO_SETTING_BACK,), ("edit_settings", "edit_code", "touch")),
    # A missing `latest` is not made again.
    "latest": Hole(
        ((COMMON, '{"summarize": [LATEST]} if LATEST else {}', "{}"),), ("delete_files",)
    ),
    # The `__init__.py` of a package does not count.
    "package": Hole(
        ((CODE, "if module.statements.hash:", 'if not path.endswith("__init__.py"):'),),
        ("edit_code", "undo"),
        code_edits=("package",),
    ),
    # The definitions that a definition uses do not count.
    "unfollowed": Hole(
        (
            (
                CODE,
                "            self.waiting.append((path, module, unit))\n\n    def add_data",
                "\n    def add_data",
            ),
        ),
        ("edit_code", "undo"),
    ),
    # The stages before do not count.
    "after": Hole(
        ((STAGES, "hash_of_fingerprints(after) if after else None", "None"),),
        ("edit_settings", "edit_code"),
        code_edits=("initializers", "preprocessing"),
    ),
}
