"""What every script of the pipeline does around its work: its log, its record, its errors."""

import errno
import logging
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from scratchnet.errors import ScratchnetError
from scratchnet.fingerprint.jobs import PlanError, recorded

ADVICE = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room in your quota",
    errno.EROFS: "make its folder writable",
    errno.EACCES: "give yourself access to it",
    errno.EPERM: "give yourself access to it",
}
MEMORY = "close other programs, or use a smaller network or batch_size"


@contextmanager
def stage_job(snakemake):
    """Yield the settings of a job; log messages of the library go to the log file of the job.

    `snakemake` is the object of that name in scripts. If the block succeeds, the fingerprint of the
    result is recorded. An error that the user can fix ends the process with exit code 1 and its
    message alone, in the log and in the terminal; for any other error there is a traceback, too.
    """
    logging.raiseExceptions = False  # do not report that the log cannot be written
    log = snakemake.log[0]
    try:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        logging.basicConfig(
            filename=log, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s"
        )
    except OSError:
        logging.disable()
    try:
        with recorded(snakemake) as fingerprint:
            yield fingerprint["settings"]
    except (ScratchnetError, PlanError, OSError, MemoryError) as error:
        message = f"{type(error).__name__}: {error}"
        advice = (
            MEMORY if isinstance(error, MemoryError) else ADVICE.get(getattr(error, "errno", None))
        )
        if advice:
            message += f". Finished results are kept: {advice}, and give the command again."
        logging.error(message)
        sys.exit(message)
    except Exception:
        logging.error(traceback.format_exc())
        raise
