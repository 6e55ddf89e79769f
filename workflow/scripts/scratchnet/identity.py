"""What makes two results the same: the settings that they depend on, and the code that made them.

Everything here is text in, text out. Nothing goes by modification times.
"""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parent


def canonical(value):
    """`value` as JSON text: the same text for the same value, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True)


def short_hash(value):
    """Eight hexadecimal digits that stand for `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:8]


@cache
def code_hashes(script):
    """{path from the script's folder: hash of the content} for a script and all that it imports.

    All means the modules of this library, found from the import statements, theirs included, and
    the page that lies beside a module under its name (demo.html beside demo.py).
    """
    script = Path(script)
    hashes, waiting = {}, [script]
    while waiting:
        path = waiting.pop()
        name = path.relative_to(script.parent).as_posix()
        if name not in hashes:
            hashes[name], imported = _read(path)
            waiting += imported
    return hashes


@cache
def _read(path):
    """The hash of a file, and the paths of what it needs, if it is Python, of the library."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return short_hash(source), []
    page = path.with_suffix(".html")
    imported = [page] if page.exists() else []
    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # `from . import x` has no module; within the library a dot stands for the library.
            base = ".".join(filter(None, [LIBRARY.name if node.level else "", node.module]))
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            package, _, module = name.partition(".")
            file = LIBRARY / f"{module}.py"
            if package == LIBRARY.name and module and file.is_file():
                imported.append(file)
    return short_hash(source), imported
