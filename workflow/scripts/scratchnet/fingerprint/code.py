"""Which code a stage runs: its script, and the definitions that the script can reach.

A definition is a function, a class or a constant at the top level of a module. From the script, the
names that a definition uses lead to others, in its own module and in those that it imports. When in
doubt, more counts: where a module is used as a value (`getattr(module, name)`, `import *`), all of
it counts, and where code may use what it does not name (`eval`, `globals()`), all that is imported.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scratchnet.fingerprint.module_cache import ModuleCache
from scratchnet.fingerprint.modules import read_module
from scratchnet.fingerprint.values import digest


@dataclass(frozen=True)
class Code:
    """The code that a script runs.

    `parts` is {name: hash}. The names are the script ("train.py"), definitions
    ("mylib/layers.py:Dense"), modules with other statements ("mylib/layers.py") and data files
    ("mylib/page.html"). `files` is {path: hash of the content} for all files that were read. Paths
    are relative to the folder of the script.
    """

    parts: dict
    files: dict


MODULES = ModuleCache()  # those that this process has read


class Library:
    """The code in a folder of scripts, as it was when it was first read: each file is read once.

    `packages` is a tuple of the names of packages in the folder `root` of the scripts; imports from
    elsewhere are ignored. `modules` is a ModuleCache.
    """

    def __init__(self, root, packages, modules=MODULES):
        self.root, self.packages, self._modules = Path(root), packages, modules
        self.find_module, self.read_file = cache(self.find_module), cache(self.read_file)

    def read_code(self, script):
        """Return the Code of a script, named by its path below `root`."""
        walk = _Walk(self)
        walk.start(script)
        self._modules.save()
        return Code(walk.parts, walk.files)

    def find_module(self, name):
        """Return the path of a module, by its dotted name, and the Module; or (None, None)."""
        parts = name.split(".")
        base = self.root.joinpath(*parts)
        if parts[0] in self.packages:
            files = {base / "__init__.py": parts, base.with_name(f"{parts[-1]}.py"): parts[:-1]}
            for file, package in files.items():
                if file.is_file():
                    path = file.relative_to(self.root).as_posix()
                    return path, self.read_module(path, package)
            if base.is_dir():  # a package without an __init__.py
                return "/".join(parts), read_module(b"", parts, self.packages)
        return None, None

    def read_module(self, path, package):
        """Return the Module in a file, which is in a package, given by the parts of its name."""
        return self._modules.read(path, self.read_file(path)[0], package, self.packages)

    def read_file(self, path):
        """Return the content of a file and its hash."""
        content = (self.root / path).read_bytes()
        return content, digest(content)


class _Walk:
    """A walk through the code of a Library, from definition to definition."""

    def __init__(self, library):
        self.library, self.root = library, library.root
        self.parts, self.files = {}, {}
        self.imported, self.waiting = set(), []
        self.is_dynamic = False

    def start(self, script):
        module = self.library.read_module(script, None)
        self.add_file(script)
        self.parts[script] = module.statements.hash
        self.is_dynamic = module.is_dynamic
        self.waiting.append((script, module, module.statements))
        while self.waiting:
            self.follow(*self.waiting.pop())
            if self.is_dynamic and not self.waiting:
                for name in sorted(self.imported):
                    self.use_all_of(name)

    def follow(self, path, module, unit):
        """Go on to all that a unit imports and uses."""
        for name in unit.modules:
            self.import_module(name)
        for name in unit.names:
            root, _, rest = name.partition(".")
            binding = unit.bindings.get(root) or module.bindings.get(root)
            if binding:
                self.use(f"{binding}.{rest}" if rest else binding)
            elif root in module.definitions:
                self.add_definition(path, module, root)
        self.add_data_files(Path(path), unit)

    def import_module(self, name):
        """Go on to what runs when a module is imported, if it is one: its packages and itself."""
        if name.endswith(".*"):
            self.use_all_of(name.removesuffix(".*"))
            return
        parts = name.split(".")
        for i in range(1, len(parts) + 1):
            package = ".".join(parts[:i])
            path, module = self.module(package)
            if module is None:
                return
            if package not in self.imported:
                self.imported.add(package)
                self.is_dynamic |= module.is_dynamic
                if module.statements.hash:
                    self.parts[path] = module.statements.hash
                self.waiting.append((path, module, module.statements))

    def use(self, name):
        """Go on to what a dotted path leads to: a definition, possibly of another module."""
        found, parts = "", name.split(".")
        while parts and self.module(f"{found}.{parts[0]}".strip("."))[1]:
            if found:
                path, module = self.module(found)
                if parts[0] in module.definitions:  # a definition with the name of a module
                    self.add_definition(path, module, parts[0])
            found = f"{found}.{parts.pop(0)}".strip(".")
        if not found:
            return
        path, module = self.module(found)
        if parts and parts[0] in module.definitions:
            self.add_definition(path, module, parts[0])
        elif parts and parts[0] in module.bindings:
            if module.bindings[parts[0]] != f"{found}.{parts[0]}":
                self.use(".".join([module.bindings[parts[0]], *parts[1:]]))
        elif not (parts and parts[0] in module.statements.names):
            self.use_all_of(found)

    def use_all_of(self, name):
        """Go on to all of a module or package."""
        self.import_module(name)
        path, module = self.module(name)
        if module is None:
            return
        for definition in module.definitions:
            self.add_definition(path, module, definition)
        folder = self.root.joinpath(*name.split("."))
        if not path.endswith(".py") or path.endswith("__init__.py"):
            for file in sorted(folder.iterdir()):
                if file.suffix == ".py" and file.stem != "__init__":
                    self.use_all_of(f"{name}.{file.stem}")
                elif file.is_dir() and file.name.isidentifier() and file.name != "__pycache__":
                    self.use_all_of(f"{name}.{file.name}")

    def add_definition(self, path, module, name):
        if f"{path}:{name}" not in self.parts:
            unit = module.definitions[name]
            self.parts[f"{path}:{name}"] = unit.hash
            self.waiting.append((path, module, unit))

    def add_data_files(self, path, unit):
        """Add the files beside a module that a unit names.

        Where it uses `__file__`, also those with the name of the module (page.html beside page.py).
        """
        folder, names = (self.root / path).parent, set(unit.files)
        if "__file__" in unit.names:
            names |= {file.name for file in folder.glob(f"{path.stem}.*")}
        for name in sorted(names):
            file = folder / name
            is_code = any(part.startswith(".py") for part in file.suffixes)
            if not is_code and file.is_file() and file.is_relative_to(self.root):
                found = file.relative_to(self.root).as_posix()
                self.parts[found] = self.add_file(found)

    def module(self, name):
        """Return the path of a module and the Module; of what is none, (None, None)."""
        path, module = self.library.find_module(name)
        if path and path.endswith(".py"):
            self.add_file(path)
        return path, module

    def add_file(self, path):
        """Note that a file was read; return the hash of its content."""
        self.files[path] = self.library.read_file(path)[1]
        return self.files[path]
