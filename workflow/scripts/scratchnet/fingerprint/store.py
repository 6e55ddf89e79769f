"""Where results are, for the Tracker: in a store that Snakemake reaches with a storage plugin.

Snakemake's rules then know a result by the path of its copy on this machine, whether that copy is
there or not. What is in the store is asked once, by one listing. What planning reads (records, and
a few other small files) is copied once, and again only when the listing says that it has changed.
"""

import asyncio
import errno
import os
from fnmatch import fnmatchcase
from functools import cached_property
from types import SimpleNamespace

from snakemake.exceptions import WorkflowError
from snakemake.io import ancient

from scratchnet.fingerprint.records import read_record, record_path


class Store:
    """Results in the default storage of a workflow, below the folder `top`.

    It has the methods of Folder in folder.py, and what only a store needs. Raises WorkflowError
    where the store cannot be listed, and for plugins of which that is not known.
    """

    def __init__(self, workflow, top="results"):
        settings = workflow.storage_settings
        self._workflow, self._modifier = workflow, workflow.modifier.path_modifier
        self._provider = workflow.storage_registry.default_storage_provider
        self._list = LISTINGS.get(settings.default_storage_provider)
        self.prefix = f"{(settings.default_storage_prefix or '').rstrip('/')}/"
        if not self._list:
            raise WorkflowError(
                f"--default-storage-provider {settings.default_storage_provider} is not supported: "
                f"the storage plugins that are tested are {' and '.join(LISTINGS)}"
            )
        self._top = top
        self._copies = self._provider.local_prefix.parent / "copies"  # jobs may have one each
        self.root = str(self._modifier.apply_default_storage(top)).removesuffix(top)

    # ---- As Folder has them. A path is that of the copy on this machine.

    def path_of(self, path):
        """Return the path of the copy, for a path in a rule."""
        return str(self._modifier.modify(path))

    def exists(self, path):
        return path in self._listing

    def read_record(self, path):
        return read_record(self.fetch(str(path))) if self.exists(str(path)) else None

    def fetch(self, path):
        """Return the path of a file with the present content of `path`.

        Raises FileNotFoundError if the store does not have it.
        """
        self.require([path])
        copy, known = self._copies / path.removeprefix(self.root), self._listing.get(path)
        if path in self._fetched or _has(copy, known):
            return str(copy)
        stored = self._stored(path).flags["storage_object"]
        if not known and not stored.exists():
            raise _not_found(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        stored.set_local_path(copy)
        stored.retrieve_object()
        # The times of a store may be whole seconds, so the newest files may still change unnoticed.
        mtime = known[0] if known and known[0] < self._newest - 1 else 0
        os.utime(copy, (mtime, mtime))
        self._fetched.add(path)
        return str(copy)

    def require(self, paths):
        """Raise FileNotFoundError if planning finds one missing: only then the listing tells."""
        for path in paths if self._workflow.iocache.active else ():
            if not self.exists(path):
                raise _not_found(path)

    def glob(self, pattern):
        return [path for path in self._listing if fnmatchcase(path, pattern)]

    def declare_records(self, rules):
        """Make the record of each rule its last output, so that it gets into the store, last."""
        self.look()
        for each in rules:
            each.set_output(self._stored(str(record_path(each.output[0]))))

    def let_run(self, inputs, outputs, made_from):
        """Return the records that a stage is `made_from`; Snakemake takes `outputs` as missing."""
        self._plan(missing=outputs)
        return {"planned": list(map(self._stored, made_from()))}

    def let_rest(self):
        self._plan()
        return {"planned": []}

    def inputs_of_job(self, made_from):
        self._plan()
        return {"planned": [ancient(self._stored(record)) for record in made_from()]}

    # ---- What only a store needs.

    def _stored(self, path):
        """Return `path` as rules take it: with Snakemake's object for the file in the store."""
        return self._modifier.apply_default_storage(path.removeprefix(self.root))

    def look(self):
        """Ask what is in the store: {path: (modification time, size)}."""
        found = SimpleNamespace(exists_in_storage={}, mtime={}, size={})

        async def ask():
            for each in self._objects:
                await each.inventory(found)

        self._objects = self._list(self._provider, self.prefix, self._top)
        asyncio.run(ask())
        self._found = found
        self._listing = {
            path: (time.storage(), found.size[path]) for path, time in found.mtime.items()
        }
        self._fetched = set()
        self._newest = max((mtime for mtime, _ in self._listing.values()), default=0)

    @cached_property
    def _inventory(self):
        """Snakemake's own inventory, filled from the listing, so that it asks about no file."""
        inventory, known = self._workflow.iocache, self._listing
        inventory.exists_in_storage.update(dict.fromkeys(known, True))
        inventory.mtime.update(self._found.mtime)
        inventory.size.update(self._found.size)
        folders = {each.get_inventory_parent() for each in self._objects}
        inventory.exists_in_storage.has_inventory.update(folders)
        return inventory

    def _plan(self, missing=()):
        """Tell Snakemake what is in the store, except files that it has to take as `missing`."""
        if self._workflow.touch:
            raise WorkflowError(
                "Results in a store cannot be declared current by --touch: copy them to a folder "
                "that is not a store, or run what is stale (docs/cluster.md)"
            )
        self._inventory.exists_in_storage.update(dict.fromkeys(missing, False))


def _has(path, known):
    """Whether a file has the `known` modification time and size."""
    return path.exists() and (path.stat().st_mtime, path.stat().st_size) == known


def _not_found(path):
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _list_folder(provider, prefix, top):
    """The plugin fs: an object for each file, since its inventory is that of one file."""
    if not os.path.isabs(prefix) or not os.path.isdir(prefix):
        raise WorkflowError(
            f"--default-storage-prefix {prefix} must be the absolute path of a folder that exists"
        )
    return [provider.object(query) for query in provider.list_objects(f"{prefix}{top}")]


def _list_bucket(provider, prefix, top):
    """The plugin s3: one object, since its inventory is that of its folder and all below."""
    listed = provider.object(f"{prefix}{top}/.listing")
    if not listed.is_valid_query() or not listed.bucket_exists():
        raise WorkflowError(
            f"--default-storage-prefix {prefix} must begin with s3:// and a bucket that exists and "
            "can be read: make the bucket, or correct its name, the endpoint or the credentials"
        )
    return [listed]


LISTINGS = {"fs": _list_folder, "s3": _list_bucket}
