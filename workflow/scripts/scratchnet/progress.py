"""Progress for a person at a terminal; elsewhere, in logs and on a cluster, there is none."""

import fcntl
import os
import sys

from tqdm import tqdm


class LiveLine:
    """A text stream for one line that changes, of which the terminal has room for one.

    Of the processes that have one, the first to write has the line until it ends; what the others
    write is dropped until then. The lock is on the terminal itself, so nothing is left behind.
    """

    def __init__(self, stream):
        self._stream = stream
        self._terminal = None
        self._is_mine = False

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        self._is_mine = self._is_mine or self._take()
        if self._is_mine:
            self._stream.write(text)

    def _take(self):
        """Try to get the line; returns whether it is this process's now."""
        if self._terminal is None:
            # A file of its own: the lock on one that was inherited would be the parent's too.
            self._terminal = os.open(os.ttyname(self._stream.fileno()), os.O_RDONLY | os.O_NOCTTY)
        try:
            fcntl.flock(self._terminal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class AroundLiveLines:
    """A text stream for whole lines on a terminal that also has live lines: these give way."""

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
    """A tqdm progress bar called `name` on the terminal's live line; `options` are tqdm's."""
    return tqdm(
        desc=name,
        file=LiveLine(sys.stderr),
        disable=None,  # where there is no terminal
        leave=False,
        dynamic_ncols=True,
        **options,
    )
