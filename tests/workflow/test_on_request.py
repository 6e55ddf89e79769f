"""What is made on request: exactly when it is stale, from what is there, and never by surprise."""

import os
from zipfile import ZipFile

import numpy as np
import pytest

from expected import PLOTS, once
from project import append, planned, set_key
from scratchnet.files import read_csv, read_json
from scratchnet.interop.bundle import check_bundle
from scratchnet.planning.settings import read_settings

EXPLAIN = {"explain_run", "plot_saliency", "plot_attacks", "plot_hidden_units"}
PARITY = {"check_parity", "plot_parity"}
EXPORT = {"export_keras", "export_onnx", "export_npz"}
BUNDLE = PLOTS | {"bundle_run"}  # with what is in it
PREDICT = {"predict_images", "plot_contact_sheet"}


def plan_all(project):
    return project.plan("demo", "lesson", "explain", "parity", "export", "bundle", "predict")


def test_each_is_made_once(project_on_request):
    assert plan_all(project_on_request) == {}
    assert project_on_request.plan() == {}


# What runs after an edit if all targets are asked for. The lesson's kernel may import any module.
OF_A_RUN = {"evaluate", "make_demo"} | EXPORT | BUNDLE | EXPLAIN
EDITED_CODE = {
    "make_demo.py": {"make_demo", "make_lesson"},
    "scratchnet/predict/demo.html": {"make_demo"},
    "scratchnet/predict/drawings.py": {"make_demo", "make_lesson"} | PREDICT,
    "scratchnet/lesson.ipynb": {"make_lesson"},
    "scratchnet/nn/layers.py": {"train", "make_lesson"} | OF_A_RUN | PARITY | PREDICT,
    "scratchnet/training/loop.py": {"train", "make_lesson"} | OF_A_RUN | PARITY,
    "scratchnet/evaluation/evaluation.py": {"make_lesson"} | OF_A_RUN,
    "scratchnet/evaluation/plots.py": {"make_lesson", "plot_contact_sheet"} | BUNDLE,
    "scratchnet/evaluation/parity_plot.py": {"make_lesson", "plot_parity"},
    "scratchnet/evaluation/explanation.py": {"make_lesson"} | EXPLAIN,
    "scratchnet/evaluation/explanation_plots.py": {"make_lesson"} | EXPLAIN - {"explain_run"},
    "scratchnet/interop/parity.py": {"make_lesson"} | PARITY,
    "scratchnet/interop/export.py": {"make_lesson", "bundle_run"} | EXPORT,
    "scratchnet/interop/model_card.py": {"make_lesson", "bundle_run"},
    "export_onnx.py": {"export_onnx", "make_lesson"},
    "scratchnet/predict/predictions.py": {"make_lesson"} | PREDICT,
    "scratchnet/predict/image_input.py": {"make_lesson"} | PREDICT,
}


@pytest.mark.parametrize("edited", EDITED_CODE)
def test_an_edit_of_code_runs_what_imports_it_and_what_follows(project_on_request, edited):
    append(project_on_request.folder / "workflow/scripts" / edited)
    assert plan_all(project_on_request) == once(EDITED_CODE[edited])


@pytest.mark.slow
def test_the_lesson_shows_the_present_source_and_all_epochs(project_on_request):
    (page,) = project_on_request.results.glob("data/*/lesson.html")
    before = page.read_text()
    layers = project_on_request.folder / "workflow/scripts/scratchnet/nn/layers.py"
    layers.write_text(layers.read_text().replace("P = exp(Z) / sum(exp(Z)):", "A new docstring:"))
    assert project_on_request.plan("lesson") == {"make_lesson": 1}
    project_on_request.run("lesson", env={"EPOCHS": "1"})
    assert "A new docstring:" in page.read_text()
    assert "after 20 epochs:" in before and "after 20 epochs:" in page.read_text()


EDITED_KEYS = {
    "validation_fraction": (0.25, {"preprocess", "train", "make_lesson"} | OF_A_RUN | PARITY),
    "model.hidden": ([3], {"train"} | OF_A_RUN | PARITY),
    "training.epochs": (6, {"train"} | OF_A_RUN | PARITY),
    "classes": ([*"abcdefghij"], OF_A_RUN),
    "plots.style": (
        "dark_background",
        {"plot_parity", "plot_contact_sheet"} | BUNDLE | EXPLAIN - {"explain_run"},
    ),
    "export.raw_pixels": (True, {"export_keras", "export_onnx"}),
    "predict.background": ("light", PREDICT),
    "predict.images": (["images/one.png"], PREDICT),
}


@pytest.mark.parametrize("key", EDITED_KEYS)
def test_an_edited_key_runs_what_depends_on_it(project_on_request, key):
    value, expected = EDITED_KEYS[key]
    set_key(project_on_request, key, value)
    assert plan_all(project_on_request) == once(expected)


# ---- Predictions.


def predictions(project):
    """The rows of all predictions.csv of a project, by its folder."""
    found = project.results.glob("predictions/*/predictions.csv")
    return {path.parent.name: read_csv(path) for path in found}


def test_there_is_a_row_for_each_image_with_all_probabilities(finished_on_request):
    (rows,) = predictions(finished_on_request).values()
    names = ["images/one.png", "images/three.png", "images/two.png"]
    assert [row["image"] for row in rows] == names
    for row in rows:
        probabilities = {c: float(row[f"p_{c}"]) for c in "0123456789"}
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert row["predicted"] == max(probabilities, key=probabilities.get)
        assert float(row["probability"]) == max(probabilities.values())


def test_the_test_images_as_arrays_are_predicted_as_they_were_when_tested(project_on_request):
    project = project_on_request
    raw = (project.results / "data/mnist/t10k-images-idx3-ubyte").read_bytes()[16:]
    np.save(project.folder / "test.npy", np.frombuffer(raw, np.uint8).reshape(20, 6, 5))
    set_key(project, "predict", {"images": "test.npy"})
    project.run("predict")
    (rows,) = [rows for place, rows in predictions(project).items() if place.startswith("test-")]
    tested = read_csv(project.run_folder / "epoch-0004/predictions.csv")
    assert len(rows) == 20
    for row, expected in zip(rows, tested, strict=True):
        assert [row[name] for name in ("image", "predicted", "probability")] == [
            expected[name] for name in ("image", "predicted", "probability")
        ]


def test_predictions_of_other_images_lie_beside_the_old_ones(project_on_request):
    project = project_on_request
    (before,) = predictions(project)
    image = project.folder / "images/one.png"
    content = image.read_bytes()
    image.write_bytes((project.folder / "images/two.png").read_bytes())
    assert planned(project.run("predict")) == once(PREDICT)
    assert before in predictions(project) and len(predictions(project)) == 2
    image.write_bytes(content)
    assert project.plan("predict") == {}


def test_touched_images_and_other_names_of_the_run_run_nothing(project_on_request):
    for path in (project_on_request.folder / "images").iterdir():
        os.utime(path, (2_000_000_000, 2_000_000_000))
    run = project_on_request.run_folder.name
    for name in (run, f"{run}/epoch-0004", f"results/runs/{run}/epoch-0004"):
        set_key(project_on_request, "predict.run", name)
        assert project_on_request.plan("predict") == {}


def test_what_is_missing_of_a_run_is_said_and_not_made(project_on_request):
    run = project_on_request.run_folder
    for name in ("checkpoints/epoch-0004.npz", "epoch-0004/config.yaml", "epoch-0004/metrics.json"):
        (run / name).rename(run / "elsewhere")
        process = project_on_request.snakemake("predict")
        assert process.returncode == 1
        message = "\npredictions cannot be made:\n  predict.run: "
        assert message in process.stdout + process.stderr
        assert not (run / name).exists()
        (run / "elsewhere").rename(run / name)


def test_all_that_is_wrong_with_the_request_is_said_at_once(new_project):
    process = new_project.snakemake("predict")
    assert process.returncode == 1
    assert "--config 'predict={images: a/folder}'" in process.stdout + process.stderr
    set_key(new_project, "predict.images", "nowhere")
    process = new_project.snakemake("predict")
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert "predict.images: there is no file or folder nowhere" in output
    assert (
        "predict.run: there is no run named latest in results; `snakemake --cores 4` trains one"
        in output
    )
    assert not new_project.results.exists()


def test_images_may_be_named_on_the_command_line(project_on_request):
    options = ["--config", "predict={images: [images/one.png, images/two.png]}"]
    assert planned(project_on_request.run("predict", *options)) == once(PREDICT)
    rows = [rows for place, rows in predictions(project_on_request).items() if "images-" in place]
    assert sorted(map(len, rows)) == [2, 3]


def test_a_file_that_is_no_image_is_named(project_on_request):
    (project_on_request.folder / "images/two.png").write_text("not an image")
    process = project_on_request.snakemake("predict")
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert "images/two.png cannot be read as an image" in output
    assert "Traceback" not in output


@pytest.mark.slow
def test_names_that_are_not_utf_8_are_shown_with_their_bytes_escaped(project_on_request):
    project = project_on_request
    images = project.folder / "images"
    folder = images / os.fsdecode(b"fold\xe9r")
    folder.mkdir()
    (images / "one.png").rename(images / os.fsdecode(b"\xff.png"))
    (images / "two.png").rename(folder / "two.png")
    project.run("predict")
    found = {row["image"] for rows in predictions(project).values() for row in rows}
    assert found >= {r"images/fold\xe9r/two.png", "images/three.png", r"images/\xff.png"}
    (folder / "two.png").write_text("not an image")
    process = project.snakemake("predict", env={"PYTHONIOENCODING": "ascii"})
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert r"images/fold\xe9r/two.png cannot be read as an image" in output
    assert "Traceback" not in output and "Logging error" not in output
    logs = [path.read_text() for path in project.results.glob("logs/predict_images/*.log")]
    assert sum(r"fold\xe9r/two.png cannot be read as an image" in log for log in logs) == 1


# ---- Parity and export.


def test_parity_is_said_in_numbers_and_the_exported_files_are_there(finished_on_request):
    epoch = finished_on_request.run_folder / "epoch-0004"
    parity = read_json(epoch / "parity.json")
    assert parity["float64"]["loss_difference"] < 1e-12
    assert parity["float32"]["as_in_the_checkpoint"]
    networks = {"network.keras", "network.onnx", "network.npz"}
    records = {f".{name}.record" for name in networks}
    assert {path.name for path in (epoch / "export").iterdir()} == networks | {
        "README.md"
    } | records


@pytest.mark.slow
def test_of_a_sweep_each_run_is_exported(sweep_project):
    assert sweep_project.plan("export") == dict.fromkeys(EXPORT, 2) | once({"export_ensemble"})


def test_runs_with_other_seeds_are_an_ensemble_that_follows_them(sweep_project):
    assert sweep_project.plan("ensemble") == once({"evaluate_ensembles"})
    sweep_project.run("ensemble")
    (path,) = sweep_project.results.glob("sweeps/*/ensembles.csv")
    assert [row["runs"] for row in read_csv(path)] == ["2"]
    assert sweep_project.plan("ensemble") == {}
    append(sweep_project.folder / "workflow/scripts/scratchnet/evaluation/ensembles.py")
    assert sweep_project.plan("ensemble") == once({"evaluate_ensembles"})
    sweep_project.configure({"sweep": {"training.seed": [0, 1], "training.epochs": [2, 4]}})
    assert "export_ensemble" not in sweep_project.plan("export")  # there are two


def test_without_runs_that_differ_only_in_their_seed_an_ensemble_is_refused(project):
    project.configure({"sweep": {"training.learning_rate": [0.1, 0.2], "training.seed": [0]}})
    process = project.snakemake("ensemble")
    assert process.returncode == 1
    assert (
        "an ensemble needs runs that differ only in their seed" in process.stdout + process.stderr
    )


def test_a_bundle_is_whole_and_its_configuration_is_that_of_the_run(finished_on_request, tmp_path):
    run = finished_on_request.run_folder
    (archive,) = run.glob("epoch-0004/bundle/*.zip")
    folder, *_ = check_bundle(archive)
    assert folder == archive.stem == f"{run.name}-epoch-0004"
    with ZipFile(archive) as bundle:
        bundle.extractall(tmp_path)
    config = read_settings(tmp_path / folder / "config.yaml")
    assert config == read_settings(run / "epoch-0004/config.yaml")
    pictures = {f"plot_{path.stem}" for path in (tmp_path / folder / "pictures").iterdir()}
    assert pictures == PLOTS
    checkpoint = (tmp_path / folder / "checkpoint.npz").read_bytes()
    assert checkpoint == (run / "checkpoints/epoch-0004.npz").read_bytes()


@pytest.mark.slow
def test_of_a_sweep_each_run_has_a_bundle_with_its_plots(sweep_project):
    for picture in sweep_project.results.glob("runs/*/*/history.png"):
        picture.unlink()
    made = ("plot_history", "export_npz", "bundle_run")
    assert sweep_project.plan("bundle") == dict.fromkeys(made, 2)


def test_runs_with_the_same_arrays_have_one_lesson(sweep_project):
    assert sweep_project.plan("lesson") == once({"make_lesson"})


def test_without_the_address_of_a_server_nothing_is_published(project):
    process = project.snakemake("publish", env={"MLFLOW_TRACKING_URI": ""})
    assert process.returncode == 1
    assert "set MLFLOW_TRACKING_URI to the address of" in process.stdout + process.stderr


def test_what_is_not_installed_is_named_and_the_rest_is_made(project, tmp_path):
    packages = ("tensorflow", "onnx", "nbconvert", "mlflow")
    for package in packages:
        error = f"ModuleNotFoundError('No module named {package}', name={package!r})"
        (tmp_path / f"{package}.py").write_text(f"raise {error}\n")
    targets = ("export", "parity", "lesson", "publish")
    server = {"MLFLOW_TRACKING_URI": "http://localhost:5000"}
    process = project.snakemake(*targets, env=server | {"PYTHONPATH": str(tmp_path)})
    output = process.stdout + process.stderr
    assert process.returncode == 1
    for package in packages:
        assert f"MissingPackageError: {package} is not installed" in output
    for group in ("extras", "lesson", "tracking"):
        assert f"run: make {group} (or python3 workflow/tools/set_up.py {group})" in output
    assert "Traceback" not in output
    assert [path.name for path in project.run_folder.rglob("network.*")] == ["network.npz"]
    stale = {"export_keras", "export_onnx", "make_lesson", "publish_run"} | PARITY
    assert project.plan(*targets, env=server) == once(stale)


@pytest.mark.slow
def test_parity_that_fails_leaves_nothing_and_says_where(project):
    """Scratchnet's learning rate is too high by one part in a million."""
    parity = project.folder / "workflow/scripts/scratchnet/interop/parity.py"
    source = parity.read_text()
    line = "self.network, self.optimizer = self.training.network, self.training.optimizer\n"
    assert line in source
    wrong = line + "        self.optimizer.learning_rate *= 1 + 1e-6\n"
    parity.write_text(source.replace(line, wrong))
    process = project.snakemake("parity")
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert "ParityError: training does not agree with Keras in float64: after batch" in output
    assert not list(project.results.rglob("parity.*"))
    assert project.plan("parity") == once(PARITY)
