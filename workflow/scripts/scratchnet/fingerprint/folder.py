"""Where results are, for the Tracker: in a folder that all jobs share.

Snakemake decides by modification times, so a stale stage gets one more input, a file that planning
writes anew each time. Where there is no such folder: store.py.
"""

import os
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from snakemake.exceptions import WorkflowError
from snakemake.io import ancient, local

from scratchnet.fingerprint.records import read_record

ALWAYS_NEW = Path(".snakemake/planned")


class Folder:
    """Results in a folder, and how a stage that makes them is made to run.

    `path_of` returns where a file is, for a path in a rule.
    """

    def __init__(self, workflow):
        self._workflow = workflow
        self.path_of = workflow.modifier.path_modifier.replace_prefix

    exists = staticmethod(os.path.exists)
    read_record = staticmethod(read_record)

    @staticmethod
    def fetch(path):
        """Return the path of a file with the present content of `path`."""
        return path

    @staticmethod
    def require(paths):
        """Do nothing: who opens a file finds out whether it is there."""

    @staticmethod
    def glob(pattern):
        """Return the paths of the files that match, in any order."""
        return map(str, Path().glob(pattern))

    @staticmethod
    def look():
        """Do nothing: files are looked at whenever they are asked about."""

    @staticmethod
    def declare_records(rules):
        """Do nothing: Snakemake deletes outputs before a job, and need not know of records."""

    def let_run(self, inputs, outputs, made_from):
        """Return further inputs of a stage that runs; `inputs` and `outputs` are its files."""
        self._planned_at  # noqa: B018  (the file has to be there)
        self._set_back_future_times([*inputs, *outputs])
        return {"planned": [local(str(ALWAYS_NEW))]}

    def let_rest(self):
        """Return further inputs of a stage that does not run."""
        self._planned_at  # noqa: B018
        return {"planned": [ancient(local(str(ALWAYS_NEW)))]}

    @staticmethod
    def inputs_of_job(made_from):
        """Return further inputs of a stage in the process of its job."""
        return {"planned": []}

    @cached_property
    def _planned_at(self):
        """When planning began: the modification time of the file that is always new.

        Its content is new as well, since Snakemake compares the checksums of small inputs. Raises
        WorkflowError where Snakemake is told to ignore modification times.
        """
        if "mtime" not in map(str, self._workflow.dag_settings.rerun_triggers):
            raise WorkflowError("rerun-triggers must include mtime, or nothing stale would run")
        ALWAYS_NEW.parent.mkdir(exist_ok=True)
        ALWAYS_NEW.unlink(missing_ok=True)  # it may be a link
        ALWAYS_NEW.write_text(f"{uuid4().hex}\n")
        return ALWAYS_NEW.stat().st_mtime

    def _set_back_future_times(self, paths):
        """Give files with a modification time in the future, by a wrong clock, an earlier one.

        A stale stage would not run if its outputs were newer than the file that is always new, and
        Snakemake marks a job as failed if an output is older than an input.
        """
        for path in paths:
            if os.path.exists(path) and os.stat(path).st_mtime >= self._planned_at:
                try:
                    os.utime(path, (self._planned_at - 1, self._planned_at - 1))
                except OSError as error:
                    raise WorkflowError(
                        f"{path} has a modification time in the future, which cannot be changed "
                        f"({error.strerror}). Change it: touch {path}"
                    ) from None
