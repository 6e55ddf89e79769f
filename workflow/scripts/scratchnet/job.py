"""What every script of the pipeline does besides its work: logging, error messages."""

from snakefresh import RecordError

import errno
import logging
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from scratchnet.errors import ScratchnetError, describe_owner, escape

ADVICE = {
    errno.ENOSPC: "free some space on the disk",
    errno.EDQUOT: "free some space in your quota",
    errno.EROFS: "make its folder writable",
    errno.EACCES: "correct its permissions",
    errno.EPERM: "correct its permissions",
}
MEMORY_ADVICE = "close other programs, or use a smaller network or batch_size"


class _EscapingFormatter(logging.Formatter):
    """The format of log messages, which may quote what was read from files and from servers."""

    def format(self, record):
        return escape(super().format(record), keep="\n")


@contextmanager
def stage_job(snakemake):
    """Write what the library logs to the log file of a job.

    `snakemake` is the object of that name in scripts. An error that the user can fix ends the
    process with exit code 1 and only its message, in the log and in the terminal; any other error
    also shows its traceback.
    """
    logging.raiseExceptions = False  # a log that cannot be written is not the error to report
    log = snakemake.log[0]
    try:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        Path(log).unlink(missing_ok=True)
        handler = logging.FileHandler(log, mode="x", encoding="utf-8")  # through no link
        handler.setFormatter(_EscapingFormatter("%(asctime)s %(message)s"))
        logging.basicConfig(handlers=[handler], level=logging.INFO)
    except OSError:
        logging.disable()
    try:
        yield
    except (ScratchnetError, RecordError, OSError, MemoryError) as error:
        message = f"{type(error).__name__}: {error}"
        if isinstance(error, PermissionError) and error.filename:
            message += describe_owner(error.filename)
        message = escape(message, keep="\n")
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
