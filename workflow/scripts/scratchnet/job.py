"""What every script of the pipeline does around its work: its log, and errors made for people."""

import json
import logging
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from scratchnet.errors import ScratchnetError


@contextmanager
def running(log, key):
    """Yield the settings in a stage's `key`, while log lines of the library go to the file `log`.

    An error of the kinds that a user can mend ends the process with exit code 1 and its message
    alone, in the log and in the terminal; any other also with its traceback.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=log, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s"
    )
    try:
        yield json.loads(key)["settings"]
    except (ScratchnetError, OSError, MemoryError) as error:
        message = f"{type(error).__name__}: {error}"
        logging.error(message)
        sys.exit(message)
    except Exception:
        logging.error(traceback.format_exc())
        raise
