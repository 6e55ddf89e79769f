"""Modules as they were read before: reading them anew would be a third of the time of planning."""

import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from scratchnet.fingerprint import modules
from scratchnet.fingerprint.modules import Module, Unit, read_module
from scratchnet.fingerprint.values import canonical, digest

READER = [digest(Path(modules.__file__).read_bytes()), *sys.version_info[:2]]


class ModuleCache:
    """The modules of a library by path, each with a key, in a JSON `file` or in memory only.

    The key covers all that the Module depends on, so an outdated or damaged file does no harm.
    """

    def __init__(self, file=None):
        self._file, self._known, self._is_changed = file, {}, False
        with suppress(OSError, ValueError):
            known = json.loads(file.read_bytes()) if file else {}
            if isinstance(known, dict):
                self._known = known

    def read(self, path, source, package, packages):
        """Return the same as `read_module`, for the file with this path."""
        key = digest(canonical([READER, digest(source), package, packages]))
        try:
            known = self._known[path]
            if known["key"] == key:
                return _from_json(known["module"])
        except (KeyError, TypeError):
            pass
        module = read_module(source, package, packages)
        self._known[path] = {"key": key, "module": asdict(module)}
        self._is_changed = True
        return module

    def save(self):
        """Write the file if there is anything new, whole or not at all."""
        if self._is_changed and self._file:
            self._is_changed = False
            temporary = self._file.with_name(f"{self._file.name}-{uuid4().hex}")
            with suppress(OSError):  # it only saves time
                self._file.parent.mkdir(exist_ok=True)
                temporary.write_text(json.dumps(self._known, default=sorted))
                os.replace(temporary, self._file)


def _from_json(module):
    return Module(
        {name: _unit(unit) for name, unit in module["definitions"].items()},
        _unit(module["statements"]),
        module["bindings"],
        module["is_dynamic"],
    )


def _unit(unit):
    sets = {name: frozenset(unit[name]) for name in ("names", "modules", "files")}
    return Unit(hash=unit["hash"], bindings=unit["bindings"], **sets)
