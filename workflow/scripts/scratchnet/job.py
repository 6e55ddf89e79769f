"""What every script of the pipeline does besides its work: logging, recording, error messages."""

import errno
import logging
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from scratchnet.errors import ScratchnetError, escape_bytes
from scratchnet.fingerprint.jobs import PlanError, recorded

ADVICE = {
    errno.ENOSPC: "free some space on the disk",
    errno.EDQUOT: "free some space in your quota",
    errno.EROFS: "make its folder writable",
    errno.EACCES: "correct its permissions",
    errno.EPERM: "correct its permissions",
}
MEMORY_ADVICE = "close other programs, or use a smaller network or batch_size"


@contextmanager
def stage_job(snakemake):
    """Yield the settings of a job; write what the library logs to the job's log file.

    `snakemake` is the object of that name in scripts. If the block succeeds, the fingerprint of the
    result is recorded. An error that the user can fix ends the process with exit code 1 and only
    its message, in the log and in the terminal; any other error also shows its traceback.
    """
    logging.raiseExceptions = False  # a log that cannot be written is not the error to report
    log = snakemake.log[0]
    try:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        logging.basicConfig(
            filename=log,
            filemode="w",
            encoding="utf-8",
            level=logging.INFO,
            format="%(asctime)s %(message)s",
        )
    except OSError:
        logging.disable()
    try:
        with recorded(snakemake) as fingerprint:
            yield fingerprint["settings"]
    except (ScratchnetError, PlanError, OSError, MemoryError) as error:
        message = escape_bytes(f"{type(error).__name__}: {error}")
        advice = (
            MEMORY_ADVICE
            if isinstance(error, MemoryError)
            else ADVICE.get(getattr(error, "errno", None))
        )
        if advice:
            message += f". Finished results are kept: {advice}, and run the command again."
        logging.error(message)
        sys.exit(message)
    except Exception:
        logging.error(traceback.format_exc())
        raise
