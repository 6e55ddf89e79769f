"""Errors whose message is meant for the user: what is wrong, where, and what to do."""

import json
import os
import re
from pathlib import Path

# Characters that control a terminal, end a line or reverse the text, and those that UTF-8 or XML
# does not have (surrogates, U+FFFE, U+FFFF). A label or a class has none of them, and what else is
# read from files is shown without them.
CONTROL_CHARACTERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


class ScratchnetError(Exception):
    """The base class. A stage that raises one ends with its message and without a traceback."""


class ConfigError(ScratchnetError):
    """The configuration is not valid, or asks for something that does not exist or is too large."""


class DataError(ScratchnetError):
    """A dataset could not be obtained, or its content is not valid."""


class ResultsError(ScratchnetError):
    """A result cannot be written because something else is in its place."""


class DivergenceError(ScratchnetError):
    """The loss is no longer a finite number.

    Where it is known, `why` says how that was seen, and `history` has the epochs before.
    """

    def __init__(self, message, why="", history=None):
        super().__init__(message)
        self.why, self.history = why, history


class MissingPackageError(ScratchnetError):
    """A package that only some stages on request need is not installed."""


class PublishError(ScratchnetError):
    """A tracking server does not take a run."""


class ParityError(ScratchnetError):
    """Training does not agree with Keras."""


def show_name(name: object) -> str:
    """Return a name or path as text for a message: in quotes and escaped if it does not print."""
    text = escape_bytes(str(name))
    return text if text.isprintable() else json.dumps(text)


def escape(text: str, keep: str = "") -> str:
    r"""Return `text` with control characters escaped, as in \x1b, except those in `keep`.

    Of a file name, bytes that are not valid UTF-8 are escaped, as in \xff.png.
    """
    return CONTROL_CHARACTERS.sub(
        lambda part: part[0] if part[0] in keep else part[0].encode("unicode_escape").decode(),
        escape_bytes(text),
    )


def escape_rst(text: str) -> str:
    """Return `text` as reStructuredText that shows it as it is: without markup or links."""
    return re.sub(r"([^\w\s]|_)", r"\\\1", text)


def escape_markdown(text: str) -> str:
    """Return `text` as Markdown that shows it as it is: without markup, links or HTML."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def describe_owner(path: str | os.PathLike) -> str:
    """Return whose a file is, if it is another user's, and what to do: the end of a sentence.

    If the file does not exist or cannot be seen, this is about its folder.
    """
    path = next(each for each in (Path(path), *Path(path).absolute().parents) if each.exists())
    if (uid := path.stat().st_uid) == os.geteuid():
        return ""
    try:
        owner = path.owner()
    except KeyError:
        owner = f"user {uid}"
    return f": {path} belongs to {owner}. Ask them, or name another folder with --directory"


def shorten_list(lines: list[str], limit: int) -> list[str]:
    """Return the first `limit` lines, and a line that says how many more there are, if any."""
    more = len(lines) - limit
    return [*lines[:limit], *([f"and {more} more"] if more > 0 else [])]


def escape_bytes(text: str) -> str:
    r"""Return `text` with the bytes of file names that are not valid UTF-8 escaped, as in \xff.png.

    Python keeps such bytes as surrogates, which can be neither written nor drawn.
    """
    return re.sub(
        "[\udc80-\udcff]+",
        lambda part: part[0].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
        text,
    )
