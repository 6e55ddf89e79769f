"""Notes what the process of a job executes and reads, from `start` on.

Modules that are not installed are imported by a loader that puts a mark at the start of each
function. An audit hook sees files opened, folders listed and processes started; `os.stat` and the
like are wrapped, since no audit event tells of them.
"""

import ast
import builtins
import copy
import importlib.machinery
import importlib.util
import marshal
import os
import re
import shlex
import sys
import threading
from collections.abc import MutableMapping
from contextlib import suppress
from functools import wraps

from snakefresh.code import definitions, remembered_parts
from snakefresh.contents import CACHE, content, digest, listing, write
from snakefresh.traces import answer, answer_of_config, is_code, is_installed

PYTHON = re.compile(r"(python|pypy|ipython|jupyter|pytest|uv|conda|mamba)[\d.]*")
SEEN = {
    "open",
    "os.listdir",
    "os.scandir",
    "exec",
    "os.mkdir",
    "os.rename",
    "os.fork",
    "os.forkpty",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
}
SHELLS = {"sh", "bash", "dash", "zsh"}
# Modules that start processes of Python without an audit event.
SPAWNERS = {
    "multiprocessing.popen_spawn_posix",
    "multiprocessing.popen_forkserver",
    "loky.backend.popen_loky_posix",
    "joblib.externals.loky.backend.popen_loky_posix",
}

# The standard library comes first; what hides it is looked for all the same: traces.py.
NOT_LOOKED_UP = {*sys.stdlib_module_names, "__main__", "__mp_main__", "snakefresh"}

executed = set()  # (file, function)
sources = {}  # {file: bytes} of the code that was imported
looked_up = set()  # dotted names of modules
data = {}  # {path: hash when it was first read or looked for}
written = set()  # paths of files, and of folders that did not exist before
may_run_any_code = set()  # reasons why all code counts
place = None


class _Noting(threading.local):
    stopped = False  # in this thread, while the trace itself works, or has ended


noting = _Noting()


def start(where):
    """Trace from here on; paths are named as the Place `where` does."""
    global place
    place = where
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and is_code(file) and module is not sys.modules["__main__"]:
            if name.partition(".")[0] not in ("snakemake", "sitecustomize", "usercustomize"):
                sys.exit(
                    f"{name} was imported before the trace began: "
                    "`from snakefresh import recorded` must be the first import of the script"
                )
            note_data(file)
        looked_up.add(name.partition(".")[0])
    # Copies of scripts, which Snakemake puts before the scripts themselves.
    sys.path[:] = [path for path in sys.path if "/snakemake-runtime-cache/" not in path]
    builtins.__executed__ = executed.add
    for name in ("stat", "lstat", "access"):
        setattr(os, name, _noted(getattr(os, name)))
    sys.meta_path.insert(0, Finder)
    sys.addaudithook(hook)


def stop():
    """End the trace."""
    noting.stopped = True


def is_folder_of_code(path):
    """Whether modules in a folder are code of the workflow."""
    path = os.path.join(path, "")
    return not ("/.snakemake/" in path or is_installed(path))


def note_data(path, answer=content):
    """Note that a file is read, or looked for, with its present content."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        return
    path = _absolute(path)
    if is_installed(path) or path.endswith(".pyc"):
        return
    if "/.snakemake/" in path or "/.traces/" in path:
        return
    if "/<" in path or _is_own(path) or not (name := place.name(path)):
        return
    name += "/" if answer is listing else ""
    if name not in data:
        is_folder = answer is content and os.path.isdir(path)
        data[name] = "a folder" if is_folder else answer(path)


def unnoticed(function):
    """Decorate a function of the trace: what it does itself is not noted."""

    @wraps(function)
    def called(*arguments, **named):
        before, noting.stopped = noting.stopped, True
        try:
            return function(*arguments, **named)
        finally:
            noting.stopped = before

    return called


class Loader(importlib.machinery.SourceFileLoader):
    """Imports a module whose functions note that they run; keeps byte code of its own."""

    @unnoticed
    def get_code(self, fullname):
        source, file = self.get_data(self.path), place.name_code(self.path)
        sources[file] = source
        stamp = digest(f"{digest(source)} {file} {self.path} {importlib.util.MAGIC_NUMBER}")
        memory = CACHE / "code" / stamp
        with suppress(OSError, ValueError, EOFError, TypeError):
            return marshal.loads(memory.read_bytes())
        code = compile_marked(source, self.path, file)
        with suppress(OSError):
            write(memory, marshal.dumps(code))
        return code


def compile_marked(source, path, file):
    """Return the code of a source text, with a mark in each function; its parts are remembered."""
    tree = ast.parse(source, path)
    remembered_parts(source, tree)
    if b"numba" in source:  # it cannot compile the marks: all functions count
        executed.update((file, name) for name, _ in definitions(tree))
        return compile(tree, path, "exec", dont_inherit=True)
    for name, node in list(definitions(tree)):
        call = ast.Call(ast.Name("__executed__", ast.Load()), [ast.Constant((file, name))], [])
        mark = ast.fix_missing_locations(ast.copy_location(ast.Expr(call), node.body[0]))
        node.body.insert(ast.get_docstring(node, clean=False) is not None, mark)
    return compile(tree, path, "exec", dont_inherit=True)


class Finder:
    """Notes each module that is looked up, and gives those that are code to the Loader."""

    @staticmethod
    @unnoticed
    def find_spec(name, path=None, target=None):
        if path is None or any(is_folder_of_code(each) for each in path):
            looked_up.add(name)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and spec.origin and is_code(spec.origin):
            if isinstance(spec.loader, importlib.machinery.SourceFileLoader):
                spec.loader = Loader(spec.loader.name, spec.loader.path)
            else:
                note_data(spec.origin)
        return spec


def hook(event, arguments):
    """See what the process does; the names of events are those of Python's audit hooks."""
    if event in SEEN and not noting.stopped:
        _see(event, arguments, sys._getframe(1))


@unnoticed
def _see(event, arguments, frame):
    if event == "open":
        _see_open(*arguments, frame)
    elif event in ("os.listdir", "os.scandir"):
        if "importlib" not in frame.f_code.co_filename:
            note_data("." if arguments[0] is None else arguments[0], listing)
    elif event == "exec":
        file = arguments[0].co_filename
        is_module = arguments[0].co_name == "<module>" and is_code(file)
        if is_module and place.name_code(file) not in sources:  # of another loader, or run by path
            note_data(file)
    elif event == "os.mkdir":
        if not os.path.exists(arguments[0]):
            written.add(_absolute(arguments[0]))
    elif event == "os.rename":
        written.add(_absolute(arguments[1]))
    elif event in ("os.fork", "os.forkpty"):
        may_run_any_code.add(event)
    elif event == "os.system":
        _see_child([arguments[0]])
    else:
        program, given, *_ = arguments
        _see_child([program, *([given] if isinstance(given, (str, bytes)) else given)])


def _see_open(path, mode, flags, frame):
    if not isinstance(path, (str, bytes, os.PathLike)):
        return
    if (flags or 0) & (os.O_WRONLY | os.O_RDWR):
        if flags & os.O_RDWR and not flags & (os.O_TRUNC | os.O_EXCL):
            note_data(path)
        written.add(_absolute(path))
    elif not _only_shows(path, frame):
        note_data(path)


def _absolute(path):
    return os.path.abspath(os.fsdecode(path))


def _is_own(path):
    """Whether the job itself has made a file, or a folder above it."""
    while path != "/":
        if path in written:
            return True
        path = os.path.dirname(path)
    return False


def _only_shows(path, frame):
    """Whether a source file is read to import it, or to show a line in a warning or traceback."""
    if not (isinstance(path, str) and path.endswith((".py", ".pyc"))):
        return False
    if "importlib" in frame.f_code.co_filename:
        return True
    while frame:
        if frame.f_globals.get("__name__") in ("warnings", "traceback"):
            return True
        frame = frame.f_back
    return False


def _see_child(arguments):
    """Note what a child process may execute: Python any code, others the files they are given."""
    words = []
    for each in arguments:
        text = os.fsdecode(each) if isinstance(each, (str, bytes, os.PathLike)) else ""
        with suppress(ValueError):
            words += [text, *shlex.split(text)]  # an argument, or the command of a shell
    is_isolated = "-I" in words
    if not is_isolated and any(PYTHON.fullmatch(os.path.basename(word)) for word in words):
        may_run_any_code.add(" ".join(words))
    for word in words:
        if os.path.exists(word) and not os.path.isdir(word):
            is_run = os.path.basename(words[0]) in SHELLS or os.access(word, os.X_OK)
            if is_code(os.path.abspath(word)) or (is_run and place.name(word)):
                may_run_any_code.add(word)
            note_data(word)


def _noted(function):
    note = unnoticed(lambda path, frame: _only_shows(path, frame) or note_data(path))

    def noted(path, *arguments, **named):
        if not noting.stopped:
            note(path, sys._getframe(1))
        return function(path, *arguments, **named)

    return noted


class Noted(MutableMapping, dict):
    """A config that notes which of its keys are read, and their values then; "*" is all of them.

    The methods of MutableMapping come first: all of them read by `__getitem__` and `__iter__`. What
    a script assigns stays in the script.
    """

    def __init__(self, values, read=None):
        dict.__init__(self, copy.deepcopy(values))
        self.read = {} if read is None else read

    def note(self, key, value):
        """Note the value of a key that is read for the first time."""
        self.read.setdefault(key, answer_of_config(value))

    def __getitem__(self, key):
        self.note(key, dict.get(self, key))
        return dict.__getitem__(self, key)

    def __iter__(self):
        self.note("*", dict(dict.items(self)))
        return dict.__iter__(self)

    def __len__(self):
        return sum(1 for _ in self)

    def __setitem__(self, key, value):
        self.note(key, dict.get(self, key))
        dict.__setitem__(self, key, value)

    def __delitem__(self, key):
        self.note(key, dict.get(self, key))
        dict.__delitem__(self, key)

    def __ne__(self, other):
        return not self == other

    def __ior__(self, other):
        self.update(other)
        return self

    def __repr__(self):
        return repr(dict(self))

    def __deepcopy__(self, memo=None):
        return Noted(dict(dict.items(self)), self.read)

    copy = __copy__ = __deepcopy__

    def __reduce_ex__(self, protocol):
        raise TypeError("snakemake.config is no plain dict here: use dict(snakemake.config)")


def folders_of_code():
    """Return the folders in `sys.path` in which code of the workflow is looked up."""
    folders = [os.path.realpath(path or ".") for path in sys.path]
    return [
        place.name_code(path)
        for path in dict.fromkeys(folders)
        if os.path.isdir(path) and is_folder_of_code(path)
    ]


def questions(script, declared):
    """Return the trace of the script up to now without answers, and what was read: see traces.

    What is below the paths `declared` does not count.
    """
    folders = folders_of_code()
    for module in SPAWNERS & set(sys.modules):
        may_run_any_code.add(module)
    found = {
        name: known
        for name, known in list(data.items())
        for path in [os.path.abspath(place.find(name))]
        if not any(path == each or path.startswith(each + os.sep) for each in declared)
        if not (known == "a folder" and any(each.startswith(path + os.sep) for each in declared))
        if known is not None or not _is_own(path)  # it was not there before the job made it
    }
    if may_run_any_code:
        found |= {name: answer(name, place) for name in (f"{each}/**.py" for each in folders)}
    trace = {
        "base": os.path.relpath(place.base),
        "script": script,
        "folders": folders,
        "accepted": False,
        "files": dict.fromkeys(sources),
        "parts": {f"{file}:{name}": None for file, name in executed},
        "modules": dict.fromkeys(m for m in looked_up if m.partition(".")[0] not in NOT_LOOKED_UP),
        "data": dict.fromkeys(found),
    }
    return trace, (dict(sources), found)
