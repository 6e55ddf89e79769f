"""What is planned where results are in a store. tests/outside/test_storage.py has whole runs."""

import re
import shutil

import pytest

from expected import AFTER_TRAINING, once
from project import append, planned, set_key
from stores import HAS_RSYNC, StoredProject

pytestmark = pytest.mark.skipif(not HAS_RSYNC, reason="no rsync; install it: apt install rsync")


@pytest.fixture
def stored(project, tmp_path):
    """A project whose results were copied into a store."""
    stored = StoredProject(project.folder, tmp_path / "store")
    shutil.move(project.folder / "results", stored.results)
    (stored.results / "latest").unlink()
    return stored


def test_exactly_what_is_stale_is_planned(stored):
    assert stored.plan() == {}
    set_key(stored, "training.epochs", 6)
    assert stored.plan() == once({"train"} | AFTER_TRAINING)
    set_key(stored, "training.epochs", 4)
    append(stored.folder / "workflow/scripts/plot_weights.py")
    (stored.run_folder / "epoch-0004/history.png").unlink()
    (stored.run_folder / "epoch-0004/.confusion.png.fingerprint").write_text("another")
    output = stored.run("-n")
    reasons = re.findall(r"^Job \d+: Plotting (.*) of mnist.* \((.*)\)$", output, re.MULTILINE)
    assert dict(reasons) == {
        "the weights": "plot_weights.py changed",
        "loss and accuracy": "its result is missing",
        "the confusion matrix": "its record is damaged",
    }
    assert sum(planned(output).values()) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--touch"], "Results in a store cannot be declared current by --touch"),
        (["--default-storage-prefix", "a/folder"], "must be the absolute path of a folder"),
        (["predict", "--config", "predict={images: raw}"], "predict needs a trained network in a"),
        (["--configfile", "workflow/configs/search.yaml"], "A search needs results in a folder"),
    ],
    ids=["touch", "prefix", "predict", "search"],
)
def test_what_needs_a_folder_says_so(stored, arguments, message):
    process = stored.snakemake(*arguments)
    assert process.returncode == 1
    assert message in process.stdout + process.stderr


def test_as_a_module_it_needs_a_folder(stored, tmp_path):
    host = tmp_path / "host"
    host.mkdir()
    module = f'module net:\n    snakefile: "{stored.folder}/Snakefile"\n    config: {{}}\n'
    (host / "Snakefile").write_text(f"{module}\nuse rule * from net as net_*\n")
    process = StoredProject(host, stored.store).snakemake("-n")
    assert process.returncode == 1
    assert "as a module needs results in a folder" in process.stdout + process.stderr
