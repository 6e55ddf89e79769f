"""Which code a stage runs: its script, and the files of the project's packages that it imports."""

import ast
import sys
from functools import cache
from pathlib import Path

from scratchnet.fingerprint.values import digest


@cache
def code_hashes(script, packages):
    """Return {path: hash of the content} of a script and of all that it imports.

    `packages` is a tuple of the names of packages in the folder of the script; imports from
    elsewhere are ignored. Imports are found in the source, including those inside functions. With a
    module come the `__init__.py` files of the packages around it, and the data files of the same
    name beside it (demo.html beside demo.py). Paths are relative to the script's folder.
    """
    script = Path(script)
    found, waiting = {}, [script]
    while waiting:
        path = waiting.pop()
        name = path.relative_to(script.parent).as_posix()
        if name not in found:
            found[name], needed = _read(path, script.parent, packages)
            waiting += needed
    return found


@cache
def _read(path, root, packages):
    """Return the hash of a file and, if it is Python, the files below `root` that it needs."""
    source = path.read_bytes()
    if path.suffix != ".py":
        return digest(source), []
    needed = []
    if path.parent != root:
        needed += (file for file in path.parent.glob(f"{path.stem}.*") if _is_data(file))
    for name in _imported_names(ast.parse(source, path), path.relative_to(root).parts[:-1]):
        if name.partition(".")[0] in packages:
            needed += _files_of(name, root)
    return digest(source), needed


def _is_data(file):
    """Return whether a file is neither Python code nor a copy of it, like module.py.orig."""
    return file.is_file() and not any(part.startswith(".py") for part in file.suffixes)


def _imported_names(tree, package):
    """Yield the dotted names that a module of `package`, a tuple of names, imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join([*base, *([node.module] if node.module else [])])
            yield base
            # An imported name may be a module or a definition: only a module has a file.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _files_of(name, root):
    """Return the files that `import name` runs: the module, and the packages around it."""
    files, path = [], root
    for part in name.split("."):
        path = path / part
        files += (path / "__init__.py", path.with_name(f"{part}.py"))
    return [file for file in files if file.is_file()]


def changed_files(root, hashes):
    """Return the files in `hashes`, {path below `root`: hash}, whose content has changed."""
    return [name for name, known in hashes.items() if _hash_of(root / name) != known]


def _hash_of(path):
    return digest(path.read_bytes()) if path.is_file() else None


def imported_files(packages):
    """Return the file of each module of `packages` that this process has imported, by name."""
    return {
        name: Path(module.__file__).resolve()
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in packages and getattr(module, "__file__", None)
    }
