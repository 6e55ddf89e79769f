"""Python imports this when it starts: with TRACES, it notes which functions a script calls.

At the end, the file TRACES/<number of the process>.json has the name of the script, and the file
and first line of each function called.
"""

import atexit
import json
import os
import sys
import threading

FUNCTION = 1  # inspect.CO_OPTIMIZED, which bodies of modules and classes do not have
called = set()


def note(frame, event, argument):
    if frame.f_code.co_flags & FUNCTION:
        called.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))


def write():
    sys.settrace(None)
    script = os.path.basename(sys.argv[0])
    with open(os.path.join(os.environ["TRACES"], f"{os.getpid()}.json"), "w") as file:
        json.dump({"script": script, "called": sorted(called)}, file)


if "TRACES" in os.environ:
    sys.settrace(note)
    threading.settrace(note)
    atexit.register(write)
