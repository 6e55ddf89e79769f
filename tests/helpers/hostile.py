"""Text that does harm where it is printed or written, and what text must not have then."""

import re

# Each with what it does.
HOSTILE = {
    "clears the screen": "\x1b[2J",
    "sets the title": "\x1b]0;title\a",
    "clears the screen, in one character": "\x9b2J",
    "overwrites the line": "\rDataError: forged",
    "ends the line": "\nDataError: forged",
    "ends the line for Python": "\x85DataError: forged",
    "ends the line for Unicode": "\u2028DataError: forged",
    "is a column of its own": "a\tb",
    "ends the text": "a\0b",
    "is turned round": "\u202egnp.exe",
    "is no valid UTF-8": "\udcff",
    "is half a character": "\ud800",
    "is not allowed in XML": "\uffff",
}
# Text that only looks dangerous.
HARMLESS = [
    "=",
    "-1",
    "@",
    "a\xa0b",
    "\u3000",
    "👩\u200d🔬",
    "\u0645\u06cc\u200c\u062e",
    "<b>&amp;",
    "%s{}$x$",
]


def assert_is_harmless(text, is_one_line=True):
    """Text may be printed anywhere, and written to any file."""
    text.encode()
    harmful = "[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\uffff]"
    found = re.findall(harmful, text if is_one_line else text.replace("\n", ""))
    assert not found, text
