"""What is copied from a store, and when again.

What is planned: tests/workflow/test_results_in_a_store.py.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.exceptions import WorkflowError
from snakemake.io import flag
from snakemake_interface_storage_plugins.io import Mtime

from scratchnet.fingerprint import store
from scratchnet.fingerprint.store import Store

RECORD = "here/results/.one.fingerprint"


class FakeStore:
    """Snakemake's storage objects for `files`, {path: (modification time, content)}."""

    def __init__(self, files):
        self.files, self.copied = files, []

    async def inventory(self, cache):
        for path, (mtime, content) in self.files.items():
            cache.mtime[path], cache.size[path] = Mtime(storage=mtime), len(content)

    def object(self, path):
        path, target = f"here/{path}", []

        def retrieve():
            self.copied.append(path)
            target[-1].write_text(self.files[path][1])

        return flag(
            path,
            "storage_object",
            SimpleNamespace(
                set_local_path=target.append,
                retrieve_object=retrieve,
                exists=lambda: path in self.files,
            ),
        )


def workflow(fake, folder, provider="s3"):
    return SimpleNamespace(
        storage_settings=SimpleNamespace(
            default_storage_provider=provider, default_storage_prefix="s3://bucket"
        ),
        storage_registry=SimpleNamespace(
            default_storage_provider=SimpleNamespace(local_prefix=folder / "s3")
        ),
        modifier=SimpleNamespace(path_modifier=SimpleNamespace(apply_default_storage=fake.object)),
        iocache=SimpleNamespace(active=True),
    )


@pytest.fixture
def fake():
    return FakeStore({RECORD: (100, "a"), "here/results/one": (200, "result")})


@pytest.fixture
def look(fake, tmp_path, monkeypatch):
    """A function that returns a Store, as the next process has it."""
    monkeypatch.setitem(store.LISTINGS, "s3", lambda *_: [fake])

    def look():
        found = Store(workflow(fake, tmp_path))
        found.look()
        return found

    return look


def test_a_record_is_copied_once(fake, look):
    assert [look().read_record(RECORD) for _ in range(3)] == ["a", "a", "a"]
    assert fake.copied == [RECORD]


@pytest.mark.parametrize("changed", [(101, "b"), (100, "longer")])
def test_a_record_that_has_changed_is_copied_again(fake, look, changed):
    look().read_record(RECORD)
    fake.files[RECORD] = changed
    assert look().read_record(RECORD) == changed[1]


def test_a_change_within_the_second_of_the_listing_is_seen(fake, look):
    fake.files[RECORD] = (200, "a")
    assert look().read_record(RECORD) == "a"
    fake.files[RECORD] = (200, "b")
    assert look().read_record(RECORD) == "b"


def test_what_is_not_there_is_not_asked_for_while_planning(fake, look):
    found = look()
    assert found.read_record("here/results/.two.fingerprint") is None
    fake.files["here/results/two"] = (300, "made by a job since")
    with pytest.raises(FileNotFoundError, match="results/two"):
        found.fetch("here/results/two")
    found._workflow.iocache.active = False  # planning has ended
    assert Path(found.fetch("here/results/two")).read_text() == "made by a job since"
    with pytest.raises(FileNotFoundError, match="results/three"):
        found.fetch("here/results/three")


def test_plugins_that_were_not_tried_are_refused(fake, tmp_path):
    with pytest.raises(WorkflowError, match="azure is not supported"):
        Store(workflow(fake, tmp_path, "azure"))
