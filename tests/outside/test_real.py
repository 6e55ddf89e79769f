"""Networks of real runs outside: beside Keras, as files for others, and for images from files.

The default run and the MLP of workflow/configs/, on the real 70,000 images; EPOCHS=n trains the MLP
for n epochs instead of all (see `make test-outside`).
"""

import os
import re
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from photographs import photograph
from project import CHECKOUT, copy_workflow
from scratchnet.files import read_csv, read_json
from scratchnet.interop.keras_model import import_keras
from scratchnet.nn.network import build_mlp
from scratchnet.training.checkpoints import load_checkpoint

SCRIPTS = CHECKOUT / "workflow" / "scripts"
MLP = ["--configfile", "workflow/configs/mlp.yaml", "--config", "sweep={training.seed: [0]}"]
if "EPOCHS" in os.environ:
    MLP.append(f"training={{epochs: {os.environ['EPOCHS']}}}")
RUNS = {"default": ["--config", "sweep={}"], "mlp": MLP}


class Run:
    """A real run with all that is made of it on request."""

    def __init__(self, folder, arguments):
        self.project = copy_workflow(folder)
        downloaded = CHECKOUT / "results" / "data" / "mnist"
        if downloaded.is_dir():
            arguments = [*arguments, f"download={{folder: {downloaded}}}"]
        self.arguments = arguments
        self.project.run(*arguments)
        self.project.run("parity", "export", *arguments)
        (self.epoch,) = self.project.results.glob("runs/*/epoch-*")
        checkpoint = self.epoch.parent / "checkpoints" / f"{self.epoch.name}.npz"
        self.weights = [*load_checkpoint(checkpoint).trained.values()]
        (X_test,) = self.project.results.glob("data/mnist-*/X_test.npy")
        self.X = np.load(X_test)
        self.raw = np.rint(self.X.T.reshape(-1, 28, 28) * 255).astype(np.uint8)
        network = build_mlp(self.weights, "relu")
        slices = [network.probabilities(self.X[:, i : i + 1000]) for i in range(0, 10_000, 1000)]
        self.P = np.concatenate(slices, axis=1)

    def assert_the_same(self, P):
        """P (10,000, 10) are the probabilities that NumPy came to."""
        difference = abs(P.T - self.P).max()
        print(f"{self.epoch.parent.name}: probabilities differ by at most {difference:.2g}")
        assert difference < 1e-5
        assert (P.argmax(axis=1) == self.P.argmax(axis=0)).all()


# Each in a process of its own.
EACH = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in RUNS]


@pytest.fixture(scope="module", params=EACH)
def run(request, tmp_path_factory):
    return Run(tmp_path_factory.mktemp("real") / request.param, RUNS[request.param])


def test_training_in_keras_comes_to_the_same(run):
    parity = read_json(run.epoch / "parity.json")
    print({name: parity[name] for name in ("float64", "float32")})
    for what in ("loss", "weights", "predictions"):
        assert parity["float64"][f"{what}_difference"] < 1e-9
    assert parity["float64"]["classes_that_differ"] == 0
    assert parity["float32"]["loss_of_an_epoch_difference"] < 1e-2
    assert parity["float32"]["as_in_the_checkpoint"]


@pytest.mark.parametrize("raw_pixels", [False, True])
def test_keras_and_onnx_runtime_predict_the_same_for_all_test_images(run, raw_pixels):
    arguments = [*run.arguments, f"export={{raw_pixels: {raw_pixels}}}"]
    run.project.run("export", *arguments)
    images = run.raw if raw_pixels else np.ascontiguousarray(run.X.T)
    model = import_keras().models.load_model(run.epoch / "export/network.keras")
    run.assert_the_same(model.predict(images, verbose=0))
    session = onnxruntime.InferenceSession(run.epoch / "export/network.onnx")
    run.assert_the_same(session.run(None, {"images": images})[0])


def test_the_exported_arrays_predict_the_same_for_all_test_images(run):
    text = (run.epoch / "export/README.md").read_text()
    (code,) = re.findall("```python\n(.*?)```", text, re.DOTALL)
    code = code.replace("images = np.zeros((1, 28, 28))", "images = raw")
    names = {"raw": run.raw}
    exec(code.replace("network.npz", str(run.epoch / "export/network.npz")), names)
    run.assert_the_same(names["P"])


def predicted(run, images):
    """The rows of `snakemake predict` for `images`."""
    before = {*run.project.results.glob("predictions/*")}
    run.project.run("predict", *run.arguments, f"predict={{images: {images}}}")
    (folder,) = {*run.project.results.glob("predictions/*")} - before
    return read_csv(folder / "predictions.csv")


def test_the_test_images_as_arrays_are_predicted_as_they_were_when_tested(run):
    np.save(run.project.folder / "test.npy", run.raw)
    rows = predicted(run, "test.npy")
    tested = read_csv(run.epoch / "predictions.csv")
    assert [row["predicted"] for row in rows] == [row["predicted"] for row in tested]
    assert [row["probability"] for row in rows] == [row["probability"] for row in tested]


def test_the_test_images_as_files_are_predicted_as_they_were_when_tested(run):
    folder = run.project.folder / "files"
    folder.mkdir()
    for i, image in enumerate(run.raw[:500]):
        Image.fromarray(255 - image if i % 2 else image).save(folder / f"{i:03}.png")
    rows = predicted(run, "files")
    tested = read_csv(run.epoch / "predictions.csv")[:500]
    assert [row["predicted"] for row in rows] == [row["predicted"] for row in tested]


def test_photographs_of_test_images_are_nearly_as_easy(run):
    """At most three in a hundred more are wrong."""
    folder, rng = run.project.folder / "photographs", np.random.default_rng(0)
    folder.mkdir()
    labels = [row["label"] for row in read_csv(run.epoch / "predictions.csv")]
    for i in range(100):
        photograph(run.raw[i], rng).save(folder / f"{i:03}.jpg", quality=75)
    right = [row["predicted"] == label for row, label in zip(predicted(run, "photographs"), labels)]
    themselves = np.mean(run.P.argmax(axis=0)[:100].astype(str) == labels[:100])
    print(f"{np.mean(right):.2f} of photographs are right, of the images themselves {themselves}")
    assert np.mean(right) >= themselves - 0.03


def documented_blocks(language):
    """The code blocks of a language in docs/interop.md, each named after its first line."""
    text = (CHECKOUT / "docs/interop.md").read_text()
    blocks = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [pytest.param(block, id=block.splitlines()[0]) for block in blocks]


@pytest.mark.parametrize("run", EACH[:1], indirect=True)
@pytest.mark.parametrize("block", documented_blocks("python"))
def test_the_documented_python_runs_as_it_stands(run, block):
    run.project.run("export", *run.arguments)
    outcome = subprocess.run(
        [sys.executable, "-c", block],
        cwd=run.project.folder,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    if "train_epoch" in block:
        (*_, loss) = re.findall(r"'loss': ([\d.]+)", outcome.stdout)
        assert float(loss) == pytest.approx(0.3819, abs=0.003)
    if "predict(" in block or "session.run(" in block:
        found = float(outcome.stdout.split()[-1])
        assert found == read_json(run.epoch / "metrics.json")["test_accuracy"]


def test_there_is_documented_python():
    assert len(documented_blocks("python")) >= 3
