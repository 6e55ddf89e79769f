"""The workflow as a whole, on a small dataset: what it makes, where, and from where it runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from expected import AUGMENTED, ENSEMBLE, SEARCH, once
from project import (
    CHECKOUT,
    Project,
    append,
    copy_with_small_data,
    planned,
    set_key,
    write_own_npz,
)
from scratchnet.files import read_csv, read_json

PICTURES = {
    f"{name}.png" for name in ("history", "confusion", "misclassified", "calibration", "weights")
}
REPORTED = {
    "metrics.json",
    "history.csv",
    "predictions.csv",
    "confusion.csv",
    "calibration.csv",
    "misclassified.json",
    "weights.json",
    "config.yaml",
}


def checkpoints(project):
    """The bytes of each checkpoint of the only run, by name."""
    return {p.name: p.read_bytes() for p in (project.run_folder / "checkpoints").glob("*.npz")}


def test_a_run_makes_every_product(finished):
    epoch = finished.run_folder / "epoch-0004"
    records = {f".{name}.record" for name in PICTURES | {"metrics.json"}}
    assert {path.name for path in epoch.iterdir()} == PICTURES | REPORTED | records
    assert (finished.results / "summary.csv").is_file()
    assert (finished.results / "latest").resolve() == finished.run_folder


def test_with_everything_there_nothing_runs(project):
    assert "Nothing to be done" in project.run()


SHOWS = [
    "--rulegraph",
    "--dag",
    "--filegraph",
    "--summary",
    "--detailed-summary",
    "--list-rules",
    "--list-untracked",
    "--unlock",
]


def test_what_only_shows_something_works_whatever_is_stale(project):
    before = sorted(project.results.rglob("*"))
    project.run("--dag")
    project.run("--summary")
    project.configure({"training": {"seed": 1}})
    for option in SHOWS:
        project.run(option)
    assert sorted(project.results.rglob("*")) == before


def test_the_end_of_a_run_says_what_came_out_and_where(finished):
    output = (finished.folder / "output").read_text()
    metrics = read_json(finished.run_folder / "epoch-0004/metrics.json")
    assert f"{metrics['test_accuracy']:.4f}" in output
    assert f"results/runs/{finished.run_folder.name}/epoch-0004" in output
    assert "\nReused: nothing\n" in output


@pytest.mark.slow
def test_the_end_of_a_run_says_what_ran_and_what_was_reused(sweep_project):
    sweep_project.configure({"sweep": {"training.seed": [0, 1]}, "plots": {"misclassified": 2}})
    output = sweep_project.run("plots")
    assert "\nRan:    2 plot_misclassified\n" in output
    (reused,) = re.findall(r"^Reused: (.*)$", output, re.MULTILINE)
    assert reused.startswith("download, preprocess, 2 train, 2 evaluate, 2 plot_")
    assert "all" not in reused
    (folder,) = (sweep_project.results / "sweeps").iterdir()
    assert f"plots: in results/sweeps/{folder.name}\n" in output


@pytest.mark.slow
def test_the_end_of_a_run_names_results_of_another_numpy(project):
    (record,) = project.run_folder.glob("checkpoints/*.json")
    numpy = read_json(record)["environment"]["numpy"]
    assert "trained with" not in project.run("--forcerun", "plot_history")
    record.write_text(record.read_text().replace(f'"numpy": "{numpy}"', '"numpy": "1.0"'))
    assert "Note:   1 trained with numpy 1.0" in project.run("--forcerun", "plot_history")


# ---- The commands that a run prints at its end.


def hints(output):
    """The commands of the lines "Report:" and "Demo:"."""
    return re.findall(r"^(?:Report|Demo): +(.*)$", output, re.M)


@pytest.mark.slow
def test_the_printed_commands_go_on_from_this_run(new_project):
    """Each option here leads to another run, so none may be forgotten."""
    (new_project.folder / "a file.yaml").write_text("training: {seed: 3}")
    elsewhere = new_project.folder / "else where"
    elsewhere.mkdir()
    options = ["--snakefile", new_project.folder / "Snakefile", "--directory", elsewhere]
    options += ["--configfile", new_project.folder / "config.yaml", "a file.yaml"]
    download = f"download={{folder: {new_project.folder}/raw}}"
    options += ["--config", "training={learning_rate: 0.2}", download]
    report, demo = hints(new_project.run(*options))
    for command in (report, demo):
        words = [sys.executable, "-m", *shlex.split(command)]
        process = subprocess.run(
            words, cwd=new_project.folder, capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, process.stdout + process.stderr
    assert (elsewhere / "results/report.html").exists()
    (page,) = elsewhere.glob("results/runs/*/epoch-0004/demo.html")
    assert (elsewhere / "results/latest").resolve() == page.parents[1]


def test_after_make_run_the_printed_commands_are_targets_of_make(project, finished):
    (project.run_folder / "epoch-0004/history.png").unlink()
    assert hints(project.run(env={"RUN_BY_MAKE": "yes"})) == ["make report", "make demo"]
    printed = ["snakemake --report results/report.html", "snakemake --cores 1 demo"]
    assert hints((finished.folder / "output").read_text()) == printed


# ---- Accepting results after an edit that changes none.


def accept(project, *targets):
    """Call `make accept` in a project; returns what it prints."""
    shutil.copy(CHECKOUT / "Makefile", project.folder)
    programs = Path(sys.executable).parent
    command = ["make", "accept", "SET_UP=@true", f"BIN={programs}", f"TARGETS={' '.join(targets)}"]
    process = subprocess.run(
        command, cwd=project.folder, capture_output=True, text=True, check=True
    )
    return process.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["project", "sweep_project"])
def test_results_are_accepted_as_they_are_after_they_were_listed(request, kind):
    project = request.getfixturevalue(kind)
    before = {path: path.read_bytes() for path in project.results.rglob("*.npz")}
    append(project.folder / "workflow/scripts/scratchnet/nn/layers.py")
    stale = project.plan()
    output = accept(project)
    assert len(re.findall(r"^Training .*layers.py changed", output, re.M)) == stale["train"]
    assert project.plan() == {}
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
def test_a_chain_of_checkpoints_is_accepted_as_it_is(new_project):
    set_key(new_project, "training.checkpoint_every", 2)
    new_project.run()
    append(new_project.folder / "workflow/scripts/scratchnet/nn/layers.py")
    accept(new_project)
    assert new_project.plan() == {}
    set_key(new_project, "training.epochs", 6)
    assert new_project.plan()["train"] == 1


@pytest.mark.slow
def test_results_on_request_are_accepted_if_they_are_named(project_on_request):
    append(project_on_request.folder / "workflow/scripts/scratchnet/predict/demo.py")
    accept(project_on_request)
    assert project_on_request.plan("demo") == once({"make_demo"})
    accept(project_on_request, "demo")
    assert project_on_request.plan("demo") == {}


@pytest.mark.slow
def test_what_is_missing_is_not_accepted(project):
    (project.run_folder / "epoch-0004/metrics.json").unlink()
    append(project.folder / "workflow/scripts/scratchnet/nn/layers.py")
    accept(project)
    assert project.plan()["evaluate"] == 1


@pytest.mark.slow
def test_what_is_made_from_missing_results_is_not_accepted(project):
    set_key(project, "training.learning_rate", 0.5)
    plan = project.plan()
    accept(project)
    assert project.plan() == plan
    project.run()
    (row,) = read_csv(project.results / "summary.csv")
    assert Path(row["folder"]).parent.name == (project.results / "latest").readlink().name


def test_a_target_of_ones_own_shows_no_table_of_something_else(project):
    project.configure({"training": {"seed": 1}})
    (run,) = re.findall(r"mnist-softmax-\w+", project.run("--dry-run"))[:1]
    assert run != project.run_folder.name
    link = (project.results / "latest").readlink()
    assert "test_accuracy" not in project.run(f"results/runs/{run}/checkpoints/epoch-0004.npz")
    assert (project.results / "latest").readlink() == link


def test_a_target_of_ones_own_is_enough_for_a_new_project(new_project):
    new_project.run("results/data/mnist/source.json")
    assert not (new_project.results / "latest").exists()


def test_without_the_profile_an_edit_runs_at_least_what_it_should(project):
    assert project.plan("--workflow-profile", "none") == {}
    append(project.folder / "workflow/scripts/scratchnet/nn/layers.py")
    plan = project.plan("--workflow-profile", "none")
    assert set(plan) >= {"train", "evaluate", "plot_history", "summarize"}


def test_the_settings_of_the_run_lie_beside_its_results(finished):
    settings = yaml.safe_load((finished.run_folder / "epoch-0004/config.yaml").read_text())
    assert settings["training"] == {
        "epochs": 4,
        "batch_size": 25,
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "momentum": 0.0,
        "weight_decay": 0.0,
        "schedule": "constant",
        "patience": None,
        "seed": 0,
    }


def test_every_job_leaves_a_log_and_a_benchmark(finished_sweep, finished_on_request):
    stages = {path.stem for path in (CHECKOUT / "workflow/scripts").glob("*.py")}
    for kind in ("logs", "benchmarks"):
        left = {
            path.name.split(".")[0]
            for project in (finished_sweep, finished_on_request)
            for path in (project.results / kind).iterdir()
        }
        assert left == stages - AUGMENTED - SEARCH - ENSEMBLE - {"publish_run"}


@pytest.mark.slow
@pytest.mark.parametrize("replicas", [1, 3])
def test_checkpoints_are_the_same_bytes_whatever_the_cores(new_project, replicas):
    training = {"momentum": 0.5, "epochs": 3, "replicas": replicas}
    new_project.configure({"model": {"hidden": [9], "dropout": 0.3}, "training": training})
    note = '\nopen("threads", "w").write(f"{snakemake.threads} threads")\n'
    append(new_project.folder / "workflow/scripts/train.py", note)
    new_project.train("--cores", 1)
    first = checkpoints(new_project)
    assert (new_project.folder / "threads").read_text() == "1 threads"
    shutil.rmtree(new_project.results)
    new_project.train("--cores", 4)
    assert checkpoints(new_project) == first
    assert (new_project.folder / "threads").read_text() == f"{replicas} threads"
    (record,) = new_project.results.glob("runs/*/checkpoints/*.json")
    assert read_json(record)["environment"]["blas_threads"] == 1


BLOCKS = [{"filters": 3, "kernel": 3, "pool": 1, "padding": "same"}, {"filters": 4, "kernel": 3}]


def test_a_network_with_convolutions_goes_the_whole_way(new_project):
    np.save(new_project.folder / "x.npy", np.full((2, 6, 5), 100, np.uint8))
    model = {"convolutions": BLOCKS, "hidden": [5], "dropout": 0.3}
    new_project.configure({"model": model, "predict": {"images": "x.npy"}})
    new_project.run()
    folder = new_project.run_folder / "epoch-0004"
    assert folder.parent.name.startswith("mnist-conv-3-4-mlp-5-")
    assert {path.name for path in folder.iterdir()} >= {"metrics.json", "weights.png"}
    onnx = folder / "export/network.onnx"
    new_project.run("demo", "predict", onnx.relative_to(new_project.folder))
    assert onnx.is_file()


@pytest.mark.slow
def test_colour_images_of_ones_own_go_through_convolutions_and_augmentation(new_project):
    """Continued after two epochs as well, bit for bit."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 7, 6, 3), np.uint8)
    np.savez(new_project.folder / "own.npz", x_train=images, y_train=np.arange(60) % 3)
    settings = {
        "dataset": "own.npz",
        "model": {"convolutions": BLOCKS, "dropout": 0.3},
        "standardize": True,
        "augmentation": {"shift": 1, "rotation": 10, "scale": 0.1, "shear": 5, "elastic": 3}
        | {"horizontal_flip": True, "crop_padding": 1, "brightness": 0.2, "cutout": 2},
    }
    for epochs in (2, 4):
        new_project.configure(settings | {"training": {"epochs": epochs}})
        new_project.run()
    folder = new_project.run_folder
    assert folder.name.startswith("own-conv-3-4-")
    assert (folder / "augmentation.png").is_file()
    assert (folder / "epoch-0004/weights.png").is_file()
    new_project.run("parity", "demo", "export")
    chained = checkpoints(new_project)["epoch-0004.npz"]
    shutil.rmtree(folder)
    new_project.train()
    assert checkpoints(new_project) == {"epoch-0004.npz": chained}


def test_a_kernel_that_is_larger_than_the_images_stops_everything(new_project):
    """Those of this mnist have 6 x 5 pixels."""
    new_project.configure({"model": {"convolutions": [{"filters": 2, "kernel": 7}]}})
    process = new_project.snakemake()
    assert process.returncode == 1
    assert "model.convolutions[0].kernel: 7 x 7 is larger than the 6 x 5" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.slow
def test_the_folder_of_the_checkout_and_its_environment_may_have_any_name(tmp_path):
    """Snakemake itself does not quote the path of Python in shell commands."""
    characters = [chr(code) for code in range(32, 127) if chr(code) != "/"]
    project = copy_with_small_data(tmp_path / "".join(characters))
    environment = project.folder / ".venv"
    environment.symlink_to(sys.prefix)
    command = [environment / "bin" / "python", "-m", "snakemake", "--cores", "2"]
    process = subprocess.run(
        command, cwd=project.folder, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert (project.run_folder / "epoch-0004" / "history.png").is_file()


def test_training_asks_for_memory_for_its_weights(new_project):
    images = np.random.default_rng(0).integers(0, 256, (40, 50, 100), np.uint8)
    np.savez(new_project.folder / "own.npz", x_train=images, y_train=np.arange(40) % 2)
    rule = new_project.folder / "workflow" / "rules" / "train.smk"
    rule.write_text(rule.read_text().replace('"Training', '"{resources.mem_mb} MB for training'))
    asked = []
    blocks = [{"filters": 10, "kernel": 3}]
    for model in ({"hidden": [1000]}, {"hidden": [2000]}, {"convolutions": blocks}):
        new_project.configure({"dataset": "own.npz", "model": model})
        if not asked:
            new_project.run("--until", "preprocess")
        output = new_project.run("--dry-run")
        asked.append(int(re.search(r"(\d+) MB for training", output)[1]))
    first, second, convolution = asked
    # A thousand units have 20 MB of weights, and there are eight such arrays with Adam.
    assert first == pytest.approx(1000 + 8 * 20, abs=5)
    assert second == pytest.approx(1000 + 8 * 40, abs=5)
    # Beside 0.4 MB of weights there are 10 x 50 x 100 outputs for each of 25 images: 5 MB.
    assert convolution == pytest.approx(1000 + 8 * 0.4 + 8 * 5, abs=5)


@pytest.mark.slow
def test_plots_need_no_backend(project):
    (project.run_folder / "epoch-0004" / "history.png").unlink()
    project.run(env={"MPLBACKEND": "no such backend"})


@pytest.mark.slow
def test_jobs_keep_freed_memory_unless_asked_otherwise(new_project):
    names = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
    append(
        new_project.folder / "workflow/scripts/train.py",
        "import os\nfrom pathlib import Path\n"
        f'Path("found").write_text(" ".join(os.environ[name] for name in {names}))\n',
    )
    for environment, expected in (({}, "134217728"), ({names[0]: "1000"}, "1000")):
        new_project.run("--until", "train", "--forcerun", "train", env=environment)
        assert (new_project.folder / "found").read_text() == f"{expected} 33554432"


def run_read_only(project, *arguments):
    """Run Snakemake in a folder that cannot be written."""
    # Root may write anywhere, so a mount is what makes it read-only for everybody.
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" && shift && "$@"'
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    if os.geteuid() == 0:
        command = ["unshare", "--mount", "sh", "-c", script, "sh", project.folder, *command]
    else:
        subprocess.run(["chmod", "-R", "a-w", project.folder], check=True)
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_it_works_from_a_read_only_checkout_with_the_results_elsewhere(tmp_path):
    project = copy_with_small_data(tmp_path / "read only")
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / "raw").symlink_to(project.folder / "raw")
    before = sorted(project.folder.rglob("*"))
    process = run_read_only(project, "--directory", elsewhere)
    assert process.returncode == 0, process.stdout + process.stderr
    assert (Project(elsewhere).run_folder / "epoch-0004" / "history.png").is_file()
    assert sorted(project.folder.rglob("*")) == before


@pytest.mark.slow
def test_in_a_read_only_checkout_it_is_said_what_to_do(new_project):
    process = run_read_only(new_project)
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert f"{new_project.folder} cannot be written: name another one with --directory" in output
    assert "Traceback" not in output


def test_the_configuration_of_the_working_directory_comes_first(new_project, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "config.yaml").write_text("training: {epochs: 7}\n")
    output = new_project.run("--dry-run", "--directory", elsewhere)
    assert "to epoch 0007" in output


MISTAKES = {
    "settings": (
        "training: {learning_rate: -1, epoks: 3}\nplots: {style: pink}\n",
        [
            "training.learning_rate: -1.0 is not allowed; it must be a number above 0",
            "training.epoks: unknown key; did you mean epochs?",
            'plots.style: "pink" is not allowed; it must be one of default',
        ],
    ),
    "the name of the dataset": ("dataset: mnits\n", ["did you mean mnist?"]),
    "YAML": (
        "training:\n  epochs: 3\n\tseed: 1\n",
        ["config.yaml is not valid YAML: line 3, column 1: found a tab character"],
    ),
    "a key given twice": (
        "training: {epochs: 3}\ntraining: {seed: 1}\n",
        ["config.yaml: training is given twice, in lines 1 and 2"],
    ),
}


@pytest.mark.parametrize(("text", "messages"), MISTAKES.values(), ids=MISTAKES)
def test_a_bad_configuration_stops_everything_and_lists_what_is_wrong(new_project, text, messages):
    (new_project.folder / "config.yaml").write_text(text)
    process = new_project.snakemake()
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert all(message in output for message in messages), output
    assert "Traceback" not in output
    assert not new_project.results.exists()


def test_a_mistake_in_another_configuration_is_refused_with_its_name(project):
    (project.folder / "other.yaml").write_text("training: {epochs: 3}\ntraining: {seed: 1}\n")
    process = project.snakemake("--configfile", "other.yaml")
    assert process.returncode == 1
    assert "other.yaml: training is given twice, in lines 1 and 2" in process.stderr


def test_an_empty_configuration_has_all_defaults(new_project):
    (new_project.folder / "config.yaml").write_text("# training:\n#   epochs: 3\n")
    assert re.search("Training mnist-softmax-.* to epoch 0020", new_project.run("--dry-run"))


def test_a_sweep_has_a_run_and_a_row_for_each_point(finished_sweep):
    header, *rows = (finished_sweep.results / "summary.csv").read_text().splitlines()
    assert header.startswith("run,folder,training.seed,epochs,")
    assert [row.split(",")[2] for row in rows] == ["0", "1"]
    assert len(list((finished_sweep.results / "runs").iterdir())) == 2
    assert not (finished_sweep.results / "latest").exists()


def test_validation_is_measured_and_reported(finished_deep):
    epoch = finished_deep.run_folder / "epoch-0004"
    header, *rows = (epoch / "history.csv").read_text().splitlines()
    assert header == "epoch,loss,accuracy,val_loss,val_accuracy"
    assert len(rows) == 4
    metrics = read_json(epoch / "metrics.json")
    assert metrics["validation_accuracy"] == float(rows[-1].split(",")[-1])


@pytest.mark.slow
def test_ones_own_images_may_have_any_path(new_project):
    name = "set{1} {x} 'a'$b%s#*\n".ljust(250, "x") + ".NPZ"
    write_own_npz(new_project.folder / "own.npz")
    (new_project.folder / "own.npz").rename(new_project.folder / name)
    new_project.configure({"dataset": name, "classes": ["{1}", "{x}", "%s"]})
    new_project.run("--until", "evaluate")
    assert new_project.plan("--until", "evaluate") == {}


@pytest.mark.slow
def test_ones_own_images_in_colour_with_text_for_labels_and_no_test_half(new_project):
    rng = np.random.default_rng(0)
    labels = np.array(["cat", "dog", "eel"])[np.arange(90) % 3]
    images = rng.integers(0, 100, (90, 7, 9, 3), np.uint8)
    for i in range(90):
        images[i, :, :, i % 3] += 100
    np.savez(new_project.folder / "My Pets.npz", x_train=images, y_train=labels)
    new_project.configure(
        {
            "dataset": "My Pets.npz",
            "classes": ["Cat", "Dog", "Eel"],
            "model": {"hidden": [8], "initializer": "he_uniform"},
            "training": {
                "epochs": 30,
                "batch_size": 10,
                "optimizer": "adam",
                "learning_rate": 0.01,
            },
        }
    )
    assert "download" not in planned(new_project.run())
    assert new_project.run_folder.name.startswith("my_pets-mlp-8-")
    folder = new_project.run_folder / "epoch-0030"
    rows = read_csv(folder / "predictions.csv")
    assert {row["label"] for row in rows} == {"Cat", "Dog", "Eel"}
    assert [row["label"] for row in rows] == [row["predicted"] for row in rows]
    assert {path.name for path in folder.glob("*.png")} == {*PICTURES}


@pytest.mark.slow
def test_a_folder_of_idx_files_is_the_same_as_the_public_dataset_they_are_of(finished, new_project):
    new_project.configure({"dataset": "raw"})
    new_project.run()
    (own,) = new_project.results.glob("data/raw-*/X_train.npy")
    (public,) = finished.results.glob("data/mnist-*/X_train.npy")
    assert own.read_bytes() == public.read_bytes()
    assert (new_project.run_folder / "checkpoints/epoch-0004.npz").read_bytes() == (
        finished.run_folder / "checkpoints/epoch-0004.npz"
    ).read_bytes()


@pytest.mark.slow
def test_the_end_of_a_sweep_shows_means_over_seeds_and_the_best_run(new_project):
    new_project.configure(
        {
            "validation_fraction": 0.25,
            "sweep": {"training.learning_rate": [0.5, "1e-2"], "training.seed": [0, 1, 2]},
        }
    )
    output = new_project.run()
    (row,) = [line for line in output.splitlines() if line.startswith("0.5 ")]
    assert row.count(" ± ") == 5
    rows = read_csv(new_project.results / "summary.csv")
    points = [(row["training.learning_rate"], row["training.seed"]) for row in rows]
    assert points == [(rate, seed) for rate in ("0.01", "0.5") for seed in "012"]
    (best,) = [row for row in rows if row["best"]]
    assert float(best["validation_loss"]) == min(float(row["validation_loss"]) for row in rows)
    assert f"The best run by validation loss: {best['folder']}" in output
    assert (new_project.results / "latest").readlink().name == Path(best["folder"]).parent.name


@pytest.mark.slow
def test_early_stopping_keeps_the_best_epoch_through_a_chain(new_project):
    # A learning rate that overfits these few images at once.
    new_project.configure(
        {
            "validation_fraction": 0.25,
            "training": {
                "epochs": 40,
                "batch_size": 5,
                "learning_rate": 0.5,
                "patience": 4,
                "checkpoint_every": 10,
            },
        }
    )
    new_project.run()
    folder = new_project.run_folder / "epoch-0040"
    losses = [float(row["val_loss"]) for row in read_csv(folder / "history.csv")]
    metrics = read_json(folder / "metrics.json")
    assert metrics["best_epoch"] == 1 + losses.index(min(losses))
    assert metrics["epochs"] == len(losses) == metrics["best_epoch"] + 4 < 40
    assert metrics["validation_loss"] == min(losses)


@pytest.mark.slow
def test_snakemake_looks_for_ready_jobs_only_when_one_has_ended(new_project):
    new_project.configure({"sweep": {"training.seed": [*range(10)]}})
    output = new_project.run("--verbose")
    n_jobs = sum(planned(output).values())
    assert output.count("Ready jobs: ") <= n_jobs + 2
