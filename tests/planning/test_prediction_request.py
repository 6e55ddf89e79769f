"""What `snakemake predict` is asked for: the images, the run, and the place of the results."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from hostile import assert_is_harmless
from scratchnet.errors import ConfigError, show_name
from scratchnet.planning import config, trained_runs
from scratchnet.planning import stage_settings as pipeline
from scratchnet.planning.prediction_request import resolve_request
from scratchnet.planning.settings import write_settings
from scratchnet.predict import image_files


def fill(folder, names):
    """Write a file of each name, its name within."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def found(images, folder):
    """What `image_files.find_image_files` finds, as paths within `folder`."""
    return [path.relative_to(folder).as_posix() for path in image_files.find_image_files(images)]


def assert_refused(said, function, *arguments, **options):
    """The message of the ConfigError that `function` raises matches `said`; returns it."""
    with pytest.raises(ConfigError, match=said) as caught:
        function(*arguments, **options)
    return str(caught.value)


# ---- The images of a folder.

OTHERS = ["a.npy", "a.npz", "a.tif", "a.txt", "png", "a.png.part", "a.png~", "labels.csv"]
HIDDEN = [".png", "._a.png", ".hidden.png", ".folder/a.png", "one/.folder/two/a.png"]


def test_the_images_of_a_folder_are_those_in_it_and_in_its_folders(tmp_path):
    """By their endings. Other and hidden files are passed over."""
    names = ["a b.png", "a.JPG", "a.PNG", "a.b.png", "one/c.jpeg", "one/two/three/d.png", "z/a.png"]
    fill(tmp_path, [*names, "~.png", "ü.png", *OTHERS, *HIDDEN])
    expected = sorted([*names, "~.png", "ü.png"])
    assert found(str(tmp_path), tmp_path) == found([str(tmp_path)], tmp_path) == expected


def test_a_folder_may_itself_be_hidden(tmp_path):
    fill(tmp_path, [".mine/a.png", ".mine/.trash/a.png"])
    assert found(str(tmp_path / ".mine"), tmp_path) == [".mine/a.png"]


def test_folders_and_broken_links_with_such_names_are_no_images(tmp_path):
    fill(tmp_path, ["a.png", "folder.png/b.png"])
    (tmp_path / "broken.png").symlink_to("nowhere.png")
    (tmp_path / "link.png").symlink_to("a.png")
    assert found(str(tmp_path), tmp_path) == ["a.png", "folder.png/b.png", "link.png"]
    assert found(str(tmp_path / "folder.png"), tmp_path) == ["folder.png/b.png"]


@pytest.mark.parametrize("names", [[], OTHERS, HIDDEN, ["folder.png/a.txt"]])
def test_a_folder_without_images_is_refused_by_name(tmp_path, names):
    (tmp_path / "mine").mkdir()
    fill(tmp_path / "mine", names)
    said = rf"there are no images .* in {re.escape(str(tmp_path))}/mine$"
    assert_refused(said, image_files.find_image_files, str(tmp_path / "mine"))


# ---- Files, and lists.


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg", "a.npy", "a.npz", "a.NPY"])
def test_a_file_may_stand_alone(tmp_path, name):
    fill(tmp_path, [name])
    path = str(tmp_path / name)
    assert found(path, tmp_path) == found([path], tmp_path) == [name]
    assert image_files.is_array(path) == (".np" in name.lower())


def test_a_list_is_in_its_own_order_and_may_have_folders(tmp_path):
    fill(tmp_path, ["z.png", "one/b.png", "one/a.png", "c.jpg"])
    asked = [str(tmp_path / name) for name in ("z.png", "one", "c.jpg")]
    assert found(asked, tmp_path) == ["z.png", "one/a.png", "one/b.png", "c.jpg"]


def test_what_is_listed_twice_is_there_once(tmp_path):
    fill(tmp_path, ["a.png", "b.png"])
    asked = [str(tmp_path / "b.png"), str(tmp_path), f"{tmp_path}/./b.png"]
    assert found(asked, tmp_path) == ["b.png", "a.png"]


@pytest.mark.parametrize("other", ["b.png", "b.npy", "one"])
def test_an_array_stands_alone(tmp_path, other):
    fill(tmp_path, ["a.npz", "b.png", "b.npy", "one/c.png"])
    asked = [str(tmp_path / name) for name in ("a.npz", other)]
    for order in (asked, asked[::-1]):
        said = r"an \.npy or \.npz file must be the only one"
        assert_refused(said, image_files.find_image_files, order)


NO_IMAGES = {
    "there is no file or folder": ["nowhere", "nowhere.png", "a.png/b.png", "\0", "a\nb"],
    "does not have the name of an image": ["a.tif", "a", "a.png.txt", "png", "a\nb.tif"],
    "there are no images": ["empty", "empty\na"],
}


@pytest.mark.parametrize("said", NO_IMAGES)
def test_what_is_no_image_is_refused_by_name_in_one_line(tmp_path, said):
    fill(tmp_path, ["a.png", "a.tif", "a", "a.png.txt", "png", "a\nb.tif"])
    for name in ("empty", "empty\na"):
        (tmp_path / name).mkdir()
    for path in (f"{tmp_path}/{name}" for name in NO_IMAGES[said]):
        for asked in (path, [f"{tmp_path}/a.png", path]):
            message = assert_refused(said, image_files.find_image_files, asked)
            assert message.isprintable()
            assert show_name(path) in message


def test_a_name_that_is_not_utf_8_is_found(tmp_path):
    (tmp_path / "\udcff.png").write_text("x")
    assert image_files.find_image_files(str(tmp_path)) == [tmp_path / "\udcff.png"]


def test_an_empty_list_is_refused():
    assert_refused("the list is empty", image_files.find_image_files, [])


def test_a_path_may_be_below_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path, ["mine/a.png"])
    for asked in ("~/mine", "~/mine/", "~/mine/a.png", ["~/mine"], "~"):
        assert found(asked, tmp_path) == ["mine/a.png"]


def test_a_path_may_be_relative_and_stays_so_even_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, ["mine/a.png", "~1.png"])
    assert [*map(str, image_files.find_image_files(["mine/", "~1.png"]))] == [
        "mine/a.png",
        "~1.png",
    ]


# ---- The run.

(SOFTMAX,) = config.resolve_runs({})
(MLP,) = config.resolve_runs({"model": {"hidden": [30, 20], "activation": "tanh"}})
SOFTMAX_RUN, MLP_RUN = pipeline.run_name(SOFTMAX), pipeline.run_name(MLP)


def make_run(results, settings, epochs=(1,)):
    """The files of a run as far as they are looked at, tested at `epochs`; returns its folder."""
    run = results / "runs" / pipeline.run_name(settings)
    own = {key: settings[key] for key in pipeline.READS["evaluate"] if key in settings}
    for epoch in epochs:
        write_settings(own, run / f"epoch-{epoch:04}" / "config.yaml")
        fill(run, [f"checkpoints/epoch-{epoch:04}.npz", f"epoch-{epoch:04}/metrics.json"])
    fill(results / "data" / pipeline.data_name(settings), ["manifest.json", "X_test.npy"])
    return run


def find_run(results, name):
    return trained_runs.find_run(results.parent, name)


@pytest.fixture
def results(tmp_path):
    """A folder with two runs: one at two epochs, and the latest, with hidden layers, at one."""
    folder = tmp_path / "results"
    make_run(folder, SOFTMAX, epochs=(9, 20))
    make_run(folder, MLP, epochs=(20,))
    (folder / "latest").symlink_to(f"runs/{MLP_RUN}")
    return folder


def test_a_run_is_what_is_needed_to_use_its_network(results):
    run = find_run(results, f"{MLP_RUN}/epoch-0020")
    assert (run.name, run.activation) == (f"{MLP_RUN}/epoch-0020", "tanh")
    data = f"{results}/data/{pipeline.data_name(MLP)}"
    assert run.files == {
        "checkpoint": f"{results}/runs/{MLP_RUN}/checkpoints/epoch-0020.npz",
        "manifest": f"{data}/manifest.json",
        "metrics": f"{results}/runs/{MLP_RUN}/epoch-0020/metrics.json",
        "X_test": f"{data}/X_test.npy",
    }


@pytest.mark.parametrize(
    "form", ["{}", "{}/", "runs/{}", "results/runs/{}", "/else/results/runs/{}/"]
)
@pytest.mark.parametrize(("epoch", "expected"), [("", 20), ("epoch-0009", 9), ("epoch-0020/", 20)])
def test_a_run_is_found_by_its_name_and_by_the_path_that_is_printed(results, form, epoch, expected):
    run = find_run(results, os.path.join(form.format(SOFTMAX_RUN), epoch))
    assert (run.name, run.activation) == (f"{SOFTMAX_RUN}/epoch-{expected:04}", None)


def test_the_latest_run_is_where_the_link_leads(results):
    for name in ("latest", "latest/", "results/latest", "latest/epoch-0020"):
        assert find_run(results, name) == find_run(results, MLP_RUN)


def test_the_last_epoch_is_taken_that_was_tested(results):
    run = make_run(results, SOFTMAX, epochs=[20, 100])
    fill(run, ["checkpoints/epoch-0030.npz", "epoch-0200/history.csv"])
    assert find_run(results, SOFTMAX_RUN).name == f"{SOFTMAX_RUN}/epoch-0100"


@pytest.mark.parametrize(
    "name",
    [
        "mnist-softmax-00000000",
        "mnist",
        f"{MLP_RUN}/metrics.json",
        "x/y",
        "{1}",
        "{run}",
        "*",
        "[a]",
        "~no_such_user",
        "%s",
        "$HOME",
        "-n",
        "loop",
        "a\nb",
        "\0",
    ],
    ids=ascii,
)
def test_of_an_unknown_run_the_known_ones_are_listed(results, name):
    fill(results, ["runs/.DS_Store"])
    (results / "runs/loop").symlink_to("loop")
    run = name.split("/")[-1]
    shown = run if run.isprintable() else json.dumps(run)
    message = assert_refused("^there is no run", find_run, results, name)
    known = f"there are {MLP_RUN}, {SOFTMAX_RUN}"
    assert message == f"there is no run named {shown} in {results}; {known}"


@pytest.mark.parametrize("name", ["latest", MLP_RUN])
def test_where_nothing_was_trained_it_is_said_how(tmp_path, name):
    (tmp_path / "no run" / "runs").mkdir(parents=True)
    for results in (tmp_path, tmp_path / "no run"):
        said = rf"no run named {name} in .*; `snakemake --cores 4` trains one"
        assert_refused(said, find_run, results, name)


def test_a_latest_run_that_was_pruned_is_named(results):
    shutil.rmtree(results / "runs" / MLP_RUN)
    said = f"there is no run named {MLP_RUN} in .*; there are {SOFTMAX_RUN}"
    assert_refused(said, find_run, results, "latest")


@pytest.mark.parametrize("name", ["", ".", "/", "epoch-0020", "..", "../..", "../epoch-0020", "~"])
def test_what_is_no_name_of_a_run_is_refused(results, name):
    """Although what lies there looks like a run."""
    for folder in (results, results / "runs", results.parent):
        shutil.copytree(results / "runs" / SOFTMAX_RUN, folder, dirs_exist_ok=True)
    assert_refused(f"^there is no run named {re.escape(name)} in ", find_run, results, name)


def test_many_runs_and_names_that_do_not_print_are_listed_in_one_line(results):
    for name in ("x\x1b[2J\ny", *(f"x{i}" for i in range(100))):
        (results / "runs" / name).mkdir()
    assert_is_harmless(assert_refused(r"there are .* and \d+ more$", find_run, results, "z"))


@pytest.mark.parametrize("name", ["../../x", "../x/epoch-0020", "/x", "{}/../x", "x/..", "./x"])
def test_nothing_outside_of_the_results_is_a_run(results, name):
    for folder in (results.parent / "x", results / "x"):
        shutil.copytree(results / "runs" / SOFTMAX_RUN, folder)
    said = f"there is no run named x in {re.escape(str(results))}; "
    assert_refused(said, find_run, results, name.format(SOFTMAX_RUN))


@pytest.mark.parametrize("folder", ["runs", f"runs/{MLP_RUN}"])
def test_runs_may_lie_on_another_disk(results, tmp_path, folder):
    expected = find_run(results, "latest")
    shutil.move(results / folder, tmp_path / "scratch")
    (results / folder).symlink_to(tmp_path / "scratch")
    assert find_run(results, "latest") == find_run(results, MLP_RUN) == expected


@pytest.mark.parametrize("epoch", ["epoch-0010", "epoch-20", "epoch-00020"])
def test_an_epoch_that_was_not_tested_is_refused_with_those_that_were(results, epoch):
    fill(results, [f"runs/{SOFTMAX_RUN}/checkpoints/{epoch}.npz"])
    said = f"^{SOFTMAX_RUN} has no {epoch}; it has epoch-0009, epoch-0020$"
    assert_refused(said, find_run, results, f"{SOFTMAX_RUN}/{epoch}")


def test_a_run_that_is_incomplete_is_refused_with_what_is_missing(results):
    files, folder = find_run(results, MLP_RUN).files, results / "runs" / MLP_RUN / "epoch-0020"
    for missing in (["X_test"], ["manifest", "X_test"], ["checkpoint", "manifest", "X_test"]):
        Path(files[missing[0]]).unlink()
        named = " and ".join(files[role] for role in missing)
        assert_refused(f"^{MLP_RUN} is incomplete: it lacks {named}$", find_run, results, MLP_RUN)
    (folder / "config.yaml").write_text("model: [1\ndataset: mnist\n")
    assert_refused(f"{folder}/config.yaml is not valid YAML: line 2", find_run, results, "latest")
    (folder / "config.yaml").unlink()
    said = f"{folder}/config.yaml is missing; `snakemake --cores 4` writes it"
    assert_refused(said, find_run, results, "latest")
    shutil.rmtree(folder)
    said = f"^{MLP_RUN} has no evaluated epoch; `snakemake --cores 4` trains one"
    assert_refused(said, find_run, results, MLP_RUN)


def test_the_data_are_those_of_the_run_and_not_of_another(results, tmp_path):
    fill(tmp_path, ["own.npz"])
    for data in ({"validation_fraction": 0.25}, {"dataset": str(tmp_path / "own.npz")}):
        (settings,) = config.resolve_runs(data)
        make_run(results, settings, epochs=(3,))
        run = find_run(results, pipeline.run_name(settings))
        assert run.name == f"{pipeline.run_name(settings)}/epoch-0003"
        assert Path(run.files["manifest"]).parent.name == pipeline.data_name(settings)


# ---- The request.


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "My Digits"
    fill(folder, ["a.png", "b.png", "one/c.jpg"])
    return folder


@pytest.fixture
def requested(results, images):
    """A function of a section `predict`, and of other settings, that resolves it."""

    def run(root=results.parent, others=None, **predict):
        predict = {"images": str(images)} | predict
        (settings,) = config.resolve_runs({"predict": predict, **(others or {})})
        return resolve_request(settings, root)

    return run


def test_a_request_has_the_images_and_the_files_of_the_run(requested, results, images):
    request = requested(run=f"{SOFTMAX_RUN}/epoch-0009")
    assert request.images == [f"{images}/{name}" for name in ("a.png", "b.png", "one/c.jpg")]
    assert request.network == find_run(results, f"{SOFTMAX_RUN}/epoch-0009").files


def test_its_settings_are_all_that_its_stage_reads(requested):
    settings = requested(background="dark").settings
    assert {*pipeline.PREDICT} - settings.keys() == {"model.convolutions"}
    assert settings["predict.background"] == "dark"
    assert settings["predict.run"] == f"{MLP_RUN}/epoch-0020"


CONVOLUTIONS = [{"filters": 2, "kernel": 3, "pool": 1, "padding": "valid"}]
(CONVOLUTIONAL,) = config.resolve_runs({"model": {"convolutions": CONVOLUTIONS}})


def test_the_network_is_that_of_the_run_and_not_of_the_configuration(requested, results):
    make_run(results, CONVOLUTIONAL)
    blocks = [{"filters": 9, "kernel": 5}]
    for model in ({}, {"hidden": [5], "activation": "sigmoid", "convolutions": blocks}):
        for run, network in (
            (SOFTMAX_RUN, (None, None)),
            (MLP_RUN, (None, "tanh")),
            (pipeline.run_name(CONVOLUTIONAL), (CONVOLUTIONS, "relu")),
        ):
            settings = requested(run=run, others={"model": model}).settings
            assert tuple(map(settings.get, pipeline.NETWORK)) == network


def test_the_place_is_called_after_what_is_asked_for(requested, tmp_path):
    fill(tmp_path, ["a.png", "x.npz", *(f"{name}/a.png" for name in ("My Digits", "数据", "__"))])
    labels = {"My Digits": "my_digits", "a.png": "a", "x.npz": "x", "数据": "data", "__": "data"}
    for name, label in labels.items():
        place = requested(images=str(tmp_path / name)).name
        assert re.fullmatch(f"{label}-[0-9a-f]{{8}}", place)
        place = requested(images=[str(tmp_path / name)]).name
        assert re.fullmatch("images-[0-9a-f]{8}", place)


def change(path):
    path.write_bytes(path.read_bytes() + b"\0")


def swap(images, one, other):
    content = (images / one).read_bytes()
    (images / other).rename(images / one)
    (images / other).write_bytes(content)


def lead_to(results, run):
    (results / "latest").unlink()
    (results / "latest").symlink_to(f"runs/{run}")


def file_of(results, role):
    return Path(find_run(results, "latest").files[role])


CHANGES = {
    "an image": lambda images, results: change(images / "a.png"),
    "an image further below": lambda images, results: change(images / "one" / "c.jpg"),
    "a name": lambda images, results: (images / "a.png").rename(images / "0.png"),
    "two names": lambda images, results: swap(images, "a.png", "b.png"),
    "one image more": lambda images, results: shutil.copy(images / "a.png", images / "d.png"),
    "one image less": lambda images, results: (images / "a.png").unlink(),
    "the checkpoint": lambda images, results: change(file_of(results, "checkpoint")),
    "the manifest": lambda images, results: change(file_of(results, "manifest")),
    "the metrics": lambda images, results: change(file_of(results, "metrics")),
    "the latest run": lambda images, results: lead_to(results, SOFTMAX_RUN),
    "its last epoch": lambda images, results: make_run(results, MLP, epochs=(30,)),
}
UNCHANGED = {
    "the test images": lambda images, results: change(file_of(results, "X_test")),
    "other and hidden files": lambda images, results: fill(images, [*OTHERS, *HIDDEN]),
    "times": lambda images, results: os.utime(images / "a.png", (0, 0)),
    "another run": lambda images, results: make_run(results, SOFTMAX, epochs=(99,)),
    "an earlier epoch": lambda images, results: make_run(results, MLP, epochs=(5,)),
}


@pytest.mark.parametrize("what", [*CHANGES, *UNCHANGED])
def test_the_place_is_another_after_a_change_of_what_is_read(requested, images, results, what):
    before = requested()
    (CHANGES | UNCHANGED)[what](images, results)
    after = requested()
    read = [[each.settings.get(key) for key in pipeline.PREDICT] for each in (before, after)]
    assert (after.name != before.name) == (read[0] != read[1]) == (what in CHANGES)


def test_another_request_has_another_place(requested, images):
    pair = [str(images / name) for name in ("a.png", "b.png")]
    others = [
        {},
        {"run": SOFTMAX_RUN},
        {"run": f"{SOFTMAX_RUN}/epoch-0009"},
        {"background": "light"},
        {"images": pair},
        {"images": pair[::-1]},  # the results are in this order
    ]
    assert len({requested(**other).name for other in others}) == len(others)


def test_even_a_single_image_is_known_by_its_name(requested, images):
    """It is in the results."""
    before = requested(images=[str(images / "a.png")]).name
    (images / "a.png").rename(images / "other.png")
    assert requested(images=[str(images / "other.png")]).name != before


def test_the_place_does_not_depend_on_where_the_results_lie(requested, results, tmp_path):
    before = requested().name
    shutil.move(results, tmp_path / "others" / "results")
    assert requested(root=tmp_path / "others").name == before


def test_the_place_does_not_depend_on_the_run_of_the_configuration_or_how_a_run_is_called(
    requested,
):
    other = {
        "training": {"learning_rate": 0.5},
        "model": {"hidden": [7], "activation": "sigmoid", "convolutions": CONVOLUTIONS},
        "dataset": "fashion_mnist",
        "plots": {"style": "dark_background"},
        "export": {"raw_pixels": True},
    }
    assert requested(others=other).name == requested().name
    for name in (MLP_RUN, f"results/runs/{MLP_RUN}/epoch-0020/", "latest/epoch-0020"):
        assert requested(run=name).name == requested().name


def test_an_array_is_known_by_its_content_alone(requested, tmp_path):
    """Its results do not say where it lay."""
    fill(tmp_path, ["one/mine.npy"])
    (tmp_path / "two").mkdir()
    before = requested(images=str(tmp_path / "one/mine.npy")).name
    shutil.move(tmp_path / "one/mine.npy", tmp_path / "two/mine.npy")
    assert requested(images=str(tmp_path / "two/mine.npy")).name == before
    change(tmp_path / "two/mine.npy")
    assert requested(images=str(tmp_path / "two/mine.npy")).name != before


# ---- What is wrong with it.


@pytest.mark.parametrize("images", [None, "", []])
def test_without_images_it_is_said_how_to_ask(requested, images):
    said = r"predict\.images: name them, e\.g\. snakemake --cores 1"
    assert_refused(said, requested, images=images)


def test_all_that_is_wrong_is_said_at_once_and_nothing_else(requested):
    wrong = {
        "images": "predict.images: there is no file or folder nothing",
        "run": "predict.run: there is no run named nothing in ",
    }
    for keys in (["images"], ["run"], ["images", "run"]):
        message = assert_refused("^predictions ", requested, **dict.fromkeys(keys, "nothing"))
        _, *lines = message.split("\n  ")
        assert [line[: len(wrong[key])] for line, key in zip(lines, keys, strict=True)] == [
            wrong[key] for key in keys
        ]


@pytest.mark.parametrize("key", ["images", "run"])
def test_what_the_system_refuses_is_said_in_its_words(requested, key):
    said = rf"\n  predict\.{key}: .*File name too long"
    assert_refused(said, requested, **{key: "x" * 300})
