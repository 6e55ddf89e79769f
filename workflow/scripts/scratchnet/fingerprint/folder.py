"""How a stage is made to run, or not to run, for the Tracker.

Snakemake decides by modification times, so a stale stage gets one more input, a file that planning
writes anew each time.
"""

import os
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from snakemake.exceptions import WorkflowError
from snakemake.io import ancient, local

ALWAYS_NEW = Path(".snakemake/planned")


class Folder:
    """The folder in which a workflow runs, and in which all jobs see its results."""

    def __init__(self, workflow):
        self._workflow = workflow
        if workflow.storage_settings.default_storage_provider:
            raise WorkflowError(
                "Results go to a folder that all jobs share: --default-storage-provider is not "
                "supported"
            )

    def let_run(self, inputs, outputs):
        """Return further inputs of a stage that runs; `inputs` and `outputs` are its files."""
        self._planned_at  # noqa: B018  (the file has to be there)
        self._set_back_future_times([*inputs, *outputs])
        return {"planned": [local(str(ALWAYS_NEW))]}  # local: without the prefix of a module

    def let_rest(self):
        """Return further inputs of a stage that does not run."""
        self._planned_at  # noqa: B018
        return {"planned": [ancient(local(str(ALWAYS_NEW)))]}

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
