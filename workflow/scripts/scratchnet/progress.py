"""A progress line in a terminal. In log files and on a cluster nothing is shown."""

import fcntl
import os
import sys

from tqdm import tqdm


class LiveLine:
    """A text stream for the live line of a terminal, which is updated in place.

    The first process that writes owns the line until it ends; meanwhile, the output of other
    processes is dropped. The lock is on the terminal itself, so no lock file is left behind.
    """

    def __init__(self, stream):
        self._stream = stream
        self._terminal = None
        self._is_owner = False
        # What tqdm needs besides.
        self.flush, self.isatty, self.fileno = stream.flush, stream.isatty, stream.fileno
        self.encoding = stream.encoding

    def write(self, text):
        self._is_owner = self._is_owner or self._acquire()
        if self._is_owner:
            self._stream.write(text)

    def _acquire(self):
        """Try to acquire the line; return whether this process owns it."""
        if self._terminal is None:
            # Open it again: a lock on an inherited file would be shared with the parent process.
            self._terminal = os.open(os.ttyname(self._stream.fileno()), os.O_RDONLY | os.O_NOCTTY)
        try:
            fcntl.flock(self._terminal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class AroundLiveLines:
    """A text stream for complete lines on a terminal, which replace the live line."""

    def __init__(self, stream):
        self._stream = stream
        self._at_start = True

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        clear = "\r\x1b[K" if self._at_start else ""
        self._stream.write(clear + text)
        self._at_start = text.endswith("\n")


def progress(name, **options):
    """Return a tqdm progress bar called `name` on the live line; `options` are those of tqdm."""
    return tqdm(
        desc=name,
        file=LiveLine(sys.stderr),
        disable=None,  # if there is no terminal
        leave=False,
        dynamic_ncols=True,
        **options,
    )
