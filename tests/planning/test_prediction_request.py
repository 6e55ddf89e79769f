"""What `snakemake predict` is asked for: the images, the run, and the place of the results."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from hostile import assert_is_harmless
from scratchnet.errors import ConfigError, show_name
from scratchnet.planning import config
from scratchnet.planning import stages as pipeline
from scratchnet.planning.prediction_request import resolve_request
from scratchnet.planning.settings import write_settings
from scratchnet.planning.trained_runs import find_run
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


# ---- The images of a folder.


def test_the_images_of_a_folder_are_those_in_it_and_in_its_folders(tmp_path):
    fill(tmp_path, ["b.png", "a.jpg", "one/c.jpeg", "one/two/three/d.png", "z/a.png"])
    expected = ["a.jpg", "b.png", "one/c.jpeg", "one/two/three/d.png", "z/a.png"]
    assert found(str(tmp_path), tmp_path) == expected
    assert found([str(tmp_path)], tmp_path) == expected


@pytest.mark.parametrize(
    "name", ["a.PNG", "a.JPG", "a.Jpeg", "a b.png", "ü.png", "a.b.png", "~.png"]
)
def test_they_are_known_by_their_endings(tmp_path, name):
    fill(tmp_path, [name])
    assert found(str(tmp_path), tmp_path) == [name]


OTHERS = ["a.npy", "a.npz", "a.gif", "a.txt", "png", "a.png.part", "a.png~", "labels.csv"]
HIDDEN = [".png", "._a.png", ".hidden.png", ".folder/a.png", "one/.folder/two/a.png"]


def test_other_and_hidden_files_are_passed_over(tmp_path):
    fill(tmp_path, ["a.png", "one/a.png", *OTHERS, *HIDDEN])
    assert found(str(tmp_path), tmp_path) == ["a.png", "one/a.png"]


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
    said = rf"there are no PNG or JPEG files in {re.escape(str(tmp_path))}/mine$"
    with pytest.raises(ConfigError, match=said):
        image_files.find_image_files(str(tmp_path / "mine"))


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


@pytest.mark.parametrize("others", [["b.png"], ["b.npy"], ["one"]])
@pytest.mark.parametrize("is_first", [True, False])
def test_an_array_stands_alone(tmp_path, others, is_first):
    fill(tmp_path, ["a.npz", "b.png", "b.npy", "one/c.png"])
    names = ["a.npz", *others] if is_first else [*others, "a.npz"]
    with pytest.raises(ConfigError, match=r"an \.npy or \.npz file must be the only one"):
        image_files.find_image_files([str(tmp_path / name) for name in names])


@pytest.mark.parametrize("name", ["nowhere", "nowhere.png", "nowhere/a.png", "a.png/b.png", "\0"])
def test_what_is_not_there_is_refused_by_name(tmp_path, name):
    fill(tmp_path, ["a.png"])
    for asked in (f"{tmp_path}/{name}", [f"{tmp_path}/a.png", f"{tmp_path}/{name}"]):
        shown = show_name(f"{tmp_path}/{name}")
        with pytest.raises(ConfigError, match=f"^there is no file or folder {re.escape(shown)}$"):
            image_files.find_image_files(asked)


@pytest.mark.parametrize("name", ["a.gif", "a", "a.png.txt", "png"])
def test_a_file_of_another_ending_is_refused_by_name(tmp_path, name):
    fill(tmp_path, [name])
    with pytest.raises(ConfigError, match=f"/{name} does not have the name of a PNG, JPEG"):
        image_files.find_image_files(str(tmp_path / name))


@pytest.mark.parametrize("place", ["{}", "{}.gif", "empty {}"])
def test_a_name_with_a_newline_is_shown_in_one_line(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, ["a\nb.gif"])
    (tmp_path / "empty a\nb").mkdir()
    with pytest.raises(ConfigError) as caught:
        image_files.find_image_files(place.replace("{}", "a\nb"))
    assert "\n" not in str(caught.value)
    assert r"a\nb" in str(caught.value)


def test_a_name_that_is_not_utf_8_is_found(tmp_path):
    (tmp_path / "\udcff.png").write_text("x")
    assert image_files.find_image_files(str(tmp_path)) == [tmp_path / "\udcff.png"]


def test_an_empty_list_is_refused():
    with pytest.raises(ConfigError, match="the list is empty"):
        image_files.find_image_files([])


def test_a_path_may_be_below_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path, ["mine/a.png"])
    for asked in ("~/mine", "~/mine/", "~/mine/a.png", ["~/mine"], "~"):
        assert found(asked, tmp_path) == ["mine/a.png"]


def test_a_name_that_begins_with_a_tilde_may_be_a_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, ["~1.png"])
    assert [path.name for path in image_files.find_image_files("~1.png")] == ["~1.png"]


def test_a_path_may_be_relative_and_stays_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, ["mine/a.png"])
    assert [*map(str, image_files.find_image_files("mine/"))] == ["mine/a.png"]


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


@pytest.fixture
def results(tmp_path):
    """A folder with two runs: one at two epochs, and the latest, with hidden layers, at one."""
    folder = tmp_path / "results"
    make_run(folder, SOFTMAX, epochs=(9, 20))
    make_run(folder, MLP, epochs=(20,))
    (folder / "latest").symlink_to(f"runs/{MLP_RUN}")
    return folder


def test_a_run_is_what_is_needed_to_use_its_network(results):
    run = find_run(results.parent, f"{MLP_RUN}/epoch-0020")
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
    run = find_run(results.parent, os.path.join(form.format(SOFTMAX_RUN), epoch))
    assert (run.name, run.activation) == (f"{SOFTMAX_RUN}/epoch-{expected:04}", None)


@pytest.mark.parametrize("name", ["latest", "latest/", "results/latest", "latest/epoch-0020"])
def test_the_latest_run_is_where_the_link_leads(results, name):
    assert find_run(results.parent, name) == find_run(results.parent, MLP_RUN)


def test_the_last_epoch_is_taken_that_was_tested(results):
    run = make_run(results, SOFTMAX, epochs=[20, 100])
    fill(run, ["checkpoints/epoch-0030.npz", "epoch-0200/history.csv"])
    assert find_run(results.parent, SOFTMAX_RUN).name == f"{SOFTMAX_RUN}/epoch-0100"


@pytest.mark.parametrize(
    "name", ["mnist-softmax-00000000", "mnist", f"{MLP_RUN}/metrics.json", "x/y"]
)
def test_of_an_unknown_run_the_known_ones_are_listed(results, name):
    fill(results, ["runs/.DS_Store"])
    with pytest.raises(ConfigError) as caught:
        find_run(results.parent, name)
    known = f"there are {MLP_RUN}, {SOFTMAX_RUN}"
    assert str(caught.value) == f"there is no run named {name.split('/')[-1]} in {results}; {known}"


@pytest.mark.parametrize("name", ["latest", MLP_RUN])
@pytest.mark.parametrize("is_there", [True, False])
def test_where_nothing_was_trained_it_is_said_how(tmp_path, name, is_there):
    if is_there:
        (tmp_path / "runs").mkdir()
    with pytest.raises(
        ConfigError, match=rf"no run named {name} in .*; `snakemake --cores 4` trains one"
    ):
        find_run(tmp_path, name)


def test_a_latest_run_that_was_pruned_is_named(results):
    shutil.rmtree(results / "runs" / MLP_RUN)
    with pytest.raises(
        ConfigError, match=f"there is no run named {MLP_RUN} in .*; there are {SOFTMAX_RUN}"
    ):
        find_run(results.parent, "latest")


@pytest.mark.parametrize("name", ["", ".", "/", "epoch-0020", "..", "../..", "../epoch-0020", "~"])
def test_what_is_no_name_of_a_run_is_refused(results, name):
    """Although what lies there looks like a run."""
    for folder in (results, results / "runs", results.parent):
        shutil.copytree(results / "runs" / SOFTMAX_RUN, folder, dirs_exist_ok=True)
    with pytest.raises(ConfigError, match=f"^there is no run named {re.escape(name)} in "):
        find_run(results.parent, name)


@pytest.mark.parametrize(
    "name", ["{1}", "{run}", "*", "[a]", "~no_such_user", "%s", "$HOME", "-n", "loop"]
)
def test_a_run_of_any_other_name_is_not_there(results, name):
    (results / "runs/loop").symlink_to("loop")
    with pytest.raises(ConfigError, match=f"^there is no run named {re.escape(name)} in "):
        find_run(results.parent, name)


@pytest.mark.parametrize("name", ["a\nb", "\0"])
def test_a_run_whose_name_does_not_print_is_shown_in_one_line(results, name):
    with pytest.raises(ConfigError) as caught:
        find_run(results.parent, name)
    assert str(caught.value).startswith(f"there is no run named {json.dumps(name)} in ")


def test_runs_whose_names_do_not_print_are_shown_in_one_line(results):
    (results / "runs" / "x\x1b[2J\ny").mkdir()
    with pytest.raises(ConfigError) as caught:
        find_run(results.parent, "z")
    assert_is_harmless(str(caught.value))


def test_of_many_runs_a_few_are_listed(results):
    for i in range(100):
        (results / "runs" / f"x{i}").mkdir()
    with pytest.raises(ConfigError, match=r"there are .* and \d+ more$"):
        find_run(results.parent, "z")


@pytest.mark.parametrize("name", ["../../x", "../x/epoch-0020", "/x", "{}/../x", "x/..", "./x"])
def test_nothing_outside_of_the_results_is_a_run(results, name):
    for folder in (results.parent / "x", results / "x"):
        shutil.copytree(results / "runs" / SOFTMAX_RUN, folder)
    with pytest.raises(
        ConfigError, match=f"there is no run named x in {re.escape(str(results))}; "
    ):
        find_run(results.parent, name.format(SOFTMAX_RUN))


def test_the_runs_may_lie_on_another_disk(results, tmp_path):
    expected = find_run(results.parent, "latest")
    shutil.move(results / "runs", tmp_path / "scratch")
    (results / "runs").symlink_to(tmp_path / "scratch")
    assert find_run(results.parent, "latest") == find_run(results.parent, MLP_RUN) == expected


def test_a_run_may_lie_on_another_disk(results, tmp_path):
    expected = find_run(results.parent, "latest")
    shutil.move(results / "runs" / MLP_RUN, tmp_path / "elsewhere")
    (results / "runs" / MLP_RUN).symlink_to(tmp_path / "elsewhere")
    assert find_run(results.parent, "latest") == find_run(results.parent, MLP_RUN) == expected


@pytest.mark.parametrize("epoch", ["epoch-0010", "epoch-20", "epoch-00020"])
def test_an_epoch_that_was_not_tested_is_refused_with_those_that_were(results, epoch):
    fill(results, [f"runs/{SOFTMAX_RUN}/checkpoints/{epoch}.npz"])
    said = f"^{SOFTMAX_RUN} has no {epoch}; it has epoch-0009, epoch-0020$"
    with pytest.raises(ConfigError, match=said):
        find_run(results.parent, f"{SOFTMAX_RUN}/{epoch}")


def test_a_run_without_a_tested_epoch_is_refused(results):
    shutil.rmtree(results / "runs" / MLP_RUN / "epoch-0020")
    said = f"^{MLP_RUN} has no evaluated epoch; `snakemake --cores 4` trains one"
    with pytest.raises(ConfigError, match=said):
        find_run(results.parent, MLP_RUN)


def test_a_run_without_its_settings_is_refused(results):
    (results / "runs" / MLP_RUN / "epoch-0020" / "config.yaml").unlink()
    said = f"runs/{MLP_RUN}/epoch-0020/config.yaml is missing; `snakemake --cores 4` writes it"
    with pytest.raises(ConfigError, match=said):
        find_run(results.parent, "latest")


def test_a_run_whose_settings_are_no_yaml_is_refused_with_the_line(results):
    path = results / "runs" / MLP_RUN / "epoch-0020" / "config.yaml"
    path.write_text("model: [1\ndataset: mnist\n")
    with pytest.raises(ConfigError, match=f"{path} is not valid YAML: line 2"):
        find_run(results.parent, "latest")


@pytest.mark.parametrize("missing", [["checkpoint"], ["manifest", "X_test"], ["X_test"]])
def test_files_that_are_missing_are_named(results, missing):
    files = find_run(results.parent, MLP_RUN).files
    for role in missing:
        os.unlink(files[role])
    with pytest.raises(ConfigError) as caught:
        find_run(results.parent, MLP_RUN)
    named = " and ".join(files[role] for role in missing)
    assert str(caught.value) == f"{MLP_RUN} is incomplete: it lacks {named}"


def test_the_data_are_those_of_the_run_and_not_of_another(results):
    (settings,) = config.resolve_runs({"validation_fraction": 0.25})
    make_run(results, settings)
    manifest = find_run(results.parent, pipeline.run_name(settings)).files["manifest"]
    assert pipeline.data_name(settings) in manifest
    assert pipeline.data_name(settings) != pipeline.data_name(MLP)


def test_a_run_of_ones_own_data_is_found(results, tmp_path):
    fill(tmp_path, ["own.npz"])
    (settings,) = config.resolve_runs({"dataset": str(tmp_path / "own.npz")})
    make_run(results, settings, epochs=(3,))
    name = pipeline.run_name(settings)
    assert find_run(results.parent, name).name == f"{name}/epoch-0003"


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
    assert request.network == find_run(results.parent, f"{SOFTMAX_RUN}/epoch-0009").files


def test_its_settings_are_all_that_its_stage_reads(requested):
    settings = requested(background="dark").settings
    assert {*pipeline.PREDICT} - settings.keys() == {"model.convolutions"}
    assert settings["predict.background"] == "dark"
    assert settings["predict.run"] == f"{MLP_RUN}/epoch-0020"


CONVOLUTIONS = [{"filters": 2, "kernel": 3, "pool": 1, "padding": "valid"}]
(CONVOLUTIONAL,) = config.resolve_runs({"model": {"convolutions": CONVOLUTIONS}})


@pytest.mark.parametrize("others", [{}, {"model": {"convolutions": [{"filters": 9, "kernel": 5}]}}])
def test_the_convolutions_are_those_of_the_run_and_not_of_the_configuration(
    requested, results, others
):
    make_run(results, CONVOLUTIONAL)
    settings = requested(run=pipeline.run_name(CONVOLUTIONAL), others=others).settings
    assert settings["model.convolutions"] == CONVOLUTIONS
    assert "model.convolutions" not in requested(run=SOFTMAX_RUN, others=others).settings


@pytest.mark.parametrize(("run", "expected"), [(SOFTMAX_RUN, None), (MLP_RUN, "tanh")])
def test_the_activation_is_that_of_the_run_and_not_of_the_configuration(requested, run, expected):
    others = {"model": {"hidden": [5], "activation": "sigmoid"}}
    assert requested(run=run, others=others).settings["model.activation"] == expected


@pytest.mark.parametrize("name", ["My Digits", "one", "a.png", "x.npz", "数据", "__"])
def test_the_place_is_called_after_what_is_asked_for(requested, tmp_path, name):
    path = tmp_path / "asked" / name
    if path.suffix:
        fill(path.parent, [path.name])
    else:
        fill(path, ["a.png"])
    labels = {"My Digits": "my_digits", "a.png": "a", "x.npz": "x", "one": "one"}
    place = requested(images=str(path)).name
    assert re.fullmatch(f"{labels.get(name, 'data')}-[0-9a-f]{{8}}", place)


def test_of_a_list_the_place_has_no_name(requested, images):
    place = requested(images=[str(images / "b.png"), str(images / "a.png")]).name
    assert re.fullmatch("images-[0-9a-f]{8}", place)


def change(path):
    path.write_bytes(path.read_bytes() + b"\0")


CHANGES = {
    "an image": lambda images, results: change(images / "a.png"),
    "an image further below": lambda images, results: change(images / "one" / "c.jpg"),
    "a name": lambda images, results: (images / "a.png").rename(images / "0.png"),
    "two names": lambda images, results: (
        (images / "a.png").rename(images / "x"),
        (images / "b.png").rename(images / "a.png"),
        (images / "x").rename(images / "b.png"),
    ),
    "one image more": lambda images, results: shutil.copy(images / "a.png", images / "d.png"),
    "one image less": lambda images, results: (images / "a.png").unlink(),
    **{
        f"the {role}": lambda images, results, role=role: change(
            Path(find_run(results.parent, "latest").files[role])
        )
        for role in ("checkpoint", "manifest", "metrics")
    },
    "the latest run": lambda images, results: (
        (results / "latest").unlink(),
        (results / "latest").symlink_to(f"runs/{SOFTMAX_RUN}"),
    ),
    "its last epoch": lambda images, results: make_run(results, MLP, epochs=(30,)),
}


@pytest.mark.parametrize("edit", CHANGES.values(), ids=CHANGES)
def test_the_place_is_another_after_a_change(requested, images, results, edit):
    before = requested()
    edit(images, results)
    after = requested()
    assert after.name != before.name
    read = [[each.settings.get(key) for key in pipeline.PREDICT] for each in (before, after)]
    assert read[0] != read[1]


@pytest.mark.parametrize("asked", [{"run": SOFTMAX_RUN}, {"background": "light"}])
def test_another_request_has_another_place(requested, asked):
    assert requested(**asked).name != requested().name


def test_another_epoch_has_another_place(requested):
    places = {requested(run=f"{SOFTMAX_RUN}/epoch-{epoch}").name for epoch in ("0009", "0020")}
    assert len(places) == 2


@pytest.mark.parametrize("name", ["a.png", "one"])
def test_even_a_single_image_is_known_by_its_name(requested, images, name):
    """It is in the results."""
    asked = str(images / name)
    before = requested(images=[asked]).name
    (path,) = image_files.find_image_files(asked)
    path.rename(path.with_name("other.png"))
    asked = str(images / "other.png") if name == "a.png" else asked
    assert requested(images=[asked]).name != before


def test_the_order_of_a_list_makes_a_difference(requested, images):
    """It is that of the results."""
    paths = [str(images / name) for name in ("a.png", "b.png")]
    assert requested(images=paths).name != requested(images=paths[::-1]).name


UNCHANGED = {
    "the test images": lambda images, results: change(
        Path(find_run(results.parent, "latest").files["X_test"])
    ),
    "other and hidden files": lambda images, results: fill(images, [*OTHERS, *HIDDEN]),
    "times": lambda images, results: os.utime(images / "a.png", (0, 0)),
    "a file and its copy": lambda images, results: (
        shutil.copy(images / "a.png", images / "x"),
        (images / "x").replace(images / "a.png"),
    ),
    "another run": lambda images, results: make_run(results, SOFTMAX, epochs=(99,)),
    "an earlier epoch": lambda images, results: make_run(results, MLP, epochs=(5,)),
}


@pytest.mark.parametrize("edit", UNCHANGED.values(), ids=UNCHANGED)
def test_the_place_stays_whatever_else_changes(requested, images, results, edit):
    before = requested()
    edit(images, results)
    assert requested().name == before.name


def test_the_place_does_not_depend_on_where_the_results_lie(requested, results, tmp_path):
    before = requested().name
    shutil.move(results, tmp_path / "others" / "results")
    assert requested(root=tmp_path / "others").name == before


@pytest.mark.parametrize(
    "others",
    [
        {"training": {"learning_rate": 0.5}},
        {"model": {"hidden": [7], "activation": "sigmoid"}},
        {"model": {"convolutions": [{"filters": 2, "kernel": 3}]}},
        {"dataset": "fashion_mnist"},
        {"plots": {"style": "default"}},
        {"export": {"raw_pixels": True}},
    ],
    ids=str,
)
def test_the_place_does_not_depend_on_the_run_of_the_configuration(requested, others):
    assert requested(others=others).name == requested().name


@pytest.mark.parametrize(
    "name", [MLP_RUN, f"results/runs/{MLP_RUN}/epoch-0020/", "latest/epoch-0020"]
)
def test_the_place_does_not_depend_on_how_the_run_is_called(requested, name):
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
    with pytest.raises(
        ConfigError, match=r"predict\.images: name them, e\.g\. snakemake --cores 1"
    ):
        requested(images=images)


def test_all_that_is_wrong_is_said_at_once(requested):
    with pytest.raises(ConfigError) as caught:
        requested(images="nowhere", run="nothing")
    assert str(caught.value).split("\n  ")[:2] == [
        "predictions cannot be made:",
        "predict.images: there is no file or folder nowhere",
    ]
    assert "\n  predict.run: there is no run named nothing in " in str(caught.value)


@pytest.mark.parametrize("key", ["images", "run"])
def test_what_is_right_is_not_complained_about(requested, key):
    with pytest.raises(ConfigError) as caught:
        requested(**{key: "nowhere"})
    (line,) = str(caught.value).split("\n  ")[1:]
    assert line.startswith(f"predict.{key}: ")


@pytest.mark.parametrize("key", ["images", "run"])
def test_what_the_system_refuses_is_said_in_its_words(requested, key):
    with pytest.raises(ConfigError, match=rf"\n  predict\.{key}: .*File name too long"):
        requested(**{key: "x" * 300})
