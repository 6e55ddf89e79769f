"""Another workflow, in another folder, uses this one as a module: see as_module/Snakefile."""

import shutil
from copy import deepcopy

import numpy as np
import pytest
import yaml

from expected import once
from project import CHECKOUT, Project, append, copy_with_small_data, planned, set_key, write_own_npz
from scratchnet.files import read_csv

pytestmark = pytest.mark.slow

NARROW = {"narrow_download", "narrow_preprocess", "narrow_train", "narrow_evaluate"}
DATA = {"wide_download", "wide_preprocess"}
DATA_OF_NARROW = {"narrow_download", "narrow_preprocess"}
EVERYTHING = NARROW | {"narrow_summarize", "wide_train", "compare"} | DATA


@pytest.fixture(scope="module")
def scratchnet(tmp_path_factory):
    """The folder of the workflow that is used as a module. Nothing may be written there."""
    return copy_with_small_data(tmp_path_factory.mktemp("module") / "scratch net").folder


def make_host(folder, scratchnet, **more):
    """The other workflow in `folder`, with small data."""
    shutil.copytree(CHECKOUT / "tests/workflow/as_module", folder)
    shutil.copytree(scratchnet / "raw", folder / "raw")
    training = {"epochs": 3, "batch_size": 25}
    shared = {"download": {"folder": "raw"}, "training": training}
    config = {
        "scratchnet": str(scratchnet / "Snakefile"),
        "narrow": shared,
        "wide": deepcopy(shared) | {"model": {"hidden": [9]}},
        **more,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return Project(folder)


@pytest.fixture(scope="module")
def finished_host(scratchnet, tmp_path_factory):
    host = make_host(tmp_path_factory.mktemp("module") / "host", scratchnet)
    assert planned(host.run()) == once(EVERYTHING)
    return host


@pytest.fixture
def host(finished_host, tmp_path):
    """A copy with all results there, of the test's own."""
    shutil.copytree(finished_host.folder, tmp_path / "host", symlinks=True)
    return Project(tmp_path / "host")


def test_the_results_lie_below_the_prefixes_and_nowhere_else(finished_host, scratchnet):
    folder = finished_host.folder
    assert {path.name for path in folder.iterdir()} == {
        "Snakefile",
        "config.yaml",
        "raw",
        ".snakemake",
        "networks",
        "comparison.txt",
    }
    for prefix in ("narrow", "wide"):
        assert [path.name for path in (folder / "networks" / prefix).iterdir()] == ["results"]
    (checkpoint,) = folder.glob("networks/wide/results/runs/mnist-mlp-9-*/checkpoints/*.npz")
    assert checkpoint.name == "epoch-0003.npz"
    assert str(checkpoint.relative_to(folder)) in (folder / "comparison.txt").read_text()
    assert not (scratchnet / "results").exists()
    (row,) = read_csv(folder / "networks/narrow/results/summary.csv")
    assert row["folder"].startswith("networks/narrow/results/runs/mnist-softmax-")
    assert (folder / row["folder"] / "metrics.json").is_file()


def test_with_everything_there_nothing_runs(host):
    set_key(host, "narrow.plots.style", "default")  # nobody asked for plots
    set_key(host, "wide.download.timeout", 5)
    assert host.plan() == {}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("wide.training.seed", 1, {"wide_train", "compare"}),
        ("narrow.training.epochs", 5, NARROW - DATA_OF_NARROW | {"narrow_summarize", "compare"}),
    ],
)
def test_an_edit_runs_what_depends_on_it(host, key, value, expected):
    set_key(host, key, value)
    assert host.plan() == once(expected)


def test_an_edit_of_the_code_is_seen(host, tmp_path, scratchnet):
    shutil.copytree(scratchnet, tmp_path / "scratch net")
    set_key(host, "scratchnet", str(tmp_path / "scratch net/Snakefile"))
    profile = ["--workflow-profile", scratchnet / "profiles/default"]
    assert host.plan(*profile) == {}
    append(tmp_path / "scratch net/workflow/scripts/scratchnet/nn/layers.py")
    trained = {"narrow_train", "narrow_evaluate", "narrow_summarize", "wide_train", "compare"}
    assert host.plan(*profile) == once(trained)


def test_everything_can_be_asked_for(host):
    plan = host.plan("narrow_all")
    assert plan.pop("narrow_all", 1) == 1
    plots = ("history", "confusion", "misclassified", "calibration", "weights")
    assert plan == once({f"narrow_plot_{name}" for name in plots})
    host.run("narrow_all", "narrow_demo")
    assert len(list(host.folder.glob("networks/narrow/results/runs/*/epoch-0003/*.png"))) == 5
    assert host.plan("narrow_all", "narrow_demo") in ({}, {"narrow_all": 1, "narrow_demo": 1})
    host.run("--report", "report.html", "narrow_all")
    assert "Confusion matrix" in (host.folder / "report.html").read_text()


def test_ones_own_images_are_looked_for_in_the_folder_of_the_other_workflow(host):
    write_own_npz(host.folder / "own.npz")
    set_key(host, "narrow.dataset", "own.npz")
    assert "narrow_download" not in planned(host.run())
    assert list(host.folder.glob("networks/narrow/results/runs/own-softmax-*/epoch-0003"))


def test_images_are_predicted_by_a_run_that_is_named(host):
    (run,) = host.folder.glob("networks/narrow/results/runs/*")
    set_key(host, "narrow.predict", {"images": "raw.npy", "run": run.name})
    pixels = (host.folder / "raw/t10k-images-idx3-ubyte").read_bytes()[16:]
    np.save(host.folder / "raw.npy", np.frombuffer(pixels, np.uint8).reshape(20, 6, 5))
    (run / "epoch-0003" / "config.yaml").unlink()
    process = host.snakemake("narrow_predict")
    assert process.returncode == 1
    missing = f"networks/narrow/results/runs/{run.name}/epoch-0003/config.yaml is missing"
    assert missing in process.stderr
    host.run("narrow_all")
    host.run("narrow_predict")
    assert list(host.folder.glob("networks/narrow/results/predictions/raw-*/predictions.csv"))


def test_a_mistake_in_its_configuration_is_explained(host):
    set_key(host, "narrow.training.epoks", 3)
    process = host.snakemake()
    assert process.returncode == 1
    assert "training.epoks: unknown key; did you mean epochs?" in process.stderr


def test_a_rule_can_be_taken_by_itself(scratchnet, tmp_path):
    """Only `train`, with arrays that are there already."""
    host = make_host(tmp_path / "host", scratchnet)
    host.run("networks/narrow/results/summary.csv")
    snakefile = host.folder / "Snakefile"
    start, end = (
        snakefile.read_text().split("use rule *")[0],
        """
use rule train from narrow as training


rule result:
    default_target: True
    input:
        narrow.results_of("train"),
""",
    )
    snakefile.write_text(start + end)
    assert host.plan("result") in ({}, {"result": 1})
    set_key(host, "narrow.training.epochs", 4)
    assert set(planned(host.run("result"))) == {"training", "result"}
