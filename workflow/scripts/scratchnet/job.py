"""What every script of the pipeline does besides its work: logging, error messages."""

from snakefresh import RecordError

import errno
import logging
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from scratchnet.errors import ScratchnetError, describe_owner, escape
from scratchnet.files import has_inodes

ADVICE = {
    errno.ENOSPC: "free some space on the disk",
    errno.EDQUOT: "free some space in your quota",
    errno.EROFS: "make its folder writable",
    errno.EACCES: "correct its permissions",
    errno.EPERM: "correct its permissions",
    errno.EIO: "see whether the disk, or the connection to it, is broken",
    errno.ESTALE: "see whether the file server still has this folder",
}
INODES_ADVICE = "delete some files, as the disk has no inodes left for more of them"
MEMORY_ADVICE = "close other programs, or use a smaller network or batch_size"


class _EscapingFormatter(logging.Formatter):
    """The format of log messages, which may quote what was read from files and from servers."""

    def format(self, record):
        return escape(super().format(record), keep="\n")


def _advise(error):
    """Return what to do about an error of the system, or None."""
    if isinstance(error, MemoryError):
        return MEMORY_ADVICE
    number = getattr(error, "errno", None)
    if number == errno.ENOSPC and not has_inodes(Path(error.filename or ".").parent):
        return INODES_ADVICE
    return ADVICE.get(number)


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
        if advice := _advise(error):
            message += f". Finished results are kept: {advice}, and run the command again."
        logging.error(message)
        sys.exit(message)
    except Exception:
        logging.error(traceback.format_exc())
        raise
