"""Whatever a configuration or a file of data holds, the answer is a result or a clean error.

CASES says how many of each are tried; `make test-faults` tries 10,000.
"""

import io
import os
import shutil
import struct
import zipfile
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from bright_pixel import make_network
from hostile import HOSTILE, assert_is_harmless
from project import CHECKOUT
from scratchnet.data.idx import encode_idx
from scratchnet.data.image_reader import read_image
from scratchnet.data.preprocessing import preprocess
from scratchnet.data.registry import DATASETS
from scratchnet.data.sources import pick_files
from scratchnet.data.user_data import hash_contents
from scratchnet.errors import ConfigError, DataError
from scratchnet.files import read_csv, read_json
from scratchnet.planning.config import resolve_runs
from scratchnet.planning.schema import load_schema, setting_schemas
from scratchnet.planning.yaml_file import read_yaml
from scratchnet.predict.image_files import find_image_files
from scratchnet.predict.image_input import read_arrays, to_network_input
from scratchnet.predict.predictions import predict

CASES = int(os.environ.get("CASES", "300"))
many = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

# Text as it may be in files: with control characters, and with surrogates, as of bytes.
HOSTILE_TEXT = st.text(
    st.characters(exclude_categories=())
    | st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Cn"])
    | st.sampled_from(sorted(set("".join(HOSTILE.values())))),
    max_size=12,
)


def encodes(name, errors="strict"):
    """Whether text is valid UTF-8; or with errors="surrogateescape", that of a file name."""
    try:
        return len(name.encode("utf-8", errors)) < 100
    except UnicodeEncodeError:
        return False


FILE_NAMES = (HOSTILE_TEXT | st.binary(max_size=20).map(os.fsdecode)).filter(
    lambda name: encodes(name, "surrogateescape") and not {"/", "\0"} & set(name)
)
KEYS = [*setting_schemas(load_schema()), "training", "model", "plots", "sweep", "trainign.epochs"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | HOSTILE_TEXT
    | st.sampled_from(["1e-3", "0.1", "null", "true", "mnist", "adam", "relu", [], {}, 10**400])
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | HOSTILE_TEXT, inner, max_size=4)
    ),
    max_leaves=12,
)


def nested(flat):
    config = {}
    for key, value in flat.items():
        section, _, rest = key.partition(".")
        if rest and isinstance(config.setdefault(section, {}), dict):
            config[section][rest] = value
        else:
            config[section] = value
    return config


@many
@given(
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5).map(nested)
    | st.fixed_dictionaries({"classes": st.lists(HOSTILE_TEXT, min_size=9, unique=True)})
    | VALUES
)
@example({"model": {"convolutions": [{}] * 30}})  # more mistakes than are listed
def test_any_configuration_is_resolved_or_explained(config):
    try:
        runs = resolve_runs(config)
    except ConfigError as error:
        lines = str(error).splitlines()
        assert lines.pop(0) == "the configuration is not valid:"
        if lines[-1] == "  and more":
            lines.pop()
        assert lines
        assert all(line.startswith("  ") and ": " in line for line in lines)
        assert_is_harmless(str(error), is_one_line=False)
    else:
        assert runs
        for name in runs[0]["classes"] or []:
            assert_is_harmless(name)


CONFIG = (CHECKOUT / "config.yaml").read_text(encoding="utf-8")


@st.composite
def damaged(draw, content):
    """`content` (bytes) with some of them changed, left out or put in."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        action = draw(st.sampled_from(["change", "cut", "end", "insert"]))
        if action == "change":
            content[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif action == "cut":
            del content[at : at + draw(st.integers(1, 40))]
        elif action == "end":
            del content[at:]
        else:
            content[at:at] = draw(st.binary(max_size=20))
    return bytes(content)


@many
@given(damaged(CONFIG.encode()))
def test_any_damage_to_config_yaml_is_explained(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "config.yaml"
    path.write_bytes(content)
    try:
        resolve_runs(read_yaml(path))
    except ConfigError as error:
        assert str(error)
        assert_is_harmless(str(error), is_one_line=False)


rng = np.random.default_rng(0)
IMAGES, LABELS = rng.integers(0, 256, (12, 3, 4), np.uint8), np.arange(12, dtype=np.uint8) % 3
ROLES = ("train_images", "train_labels", "test_images", "test_labels")
IDX = dict(zip(ROLES, [encode_idx(IMAGES), encode_idx(LABELS)] * 2))


def npz(compressed):
    file = io.BytesIO()
    save = np.savez_compressed if compressed else np.savez
    save(file, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:5], y_test=LABELS[:5])
    return file.getvalue()


def try_to_prepare(folder, files, names=MappingProxyType({})):
    """Prepare the arrays of `files`, {role: content}; a fault is a DataError and leaves nothing.

    `names` are names of the files by role.
    """
    raw = {}
    for role, content in files.items():
        raw[role] = folder / (names.get(role) or (f"{role}.npz" if role == "npz" else role))
        raw[role].write_bytes(content)
    out = folder / "out"
    outputs = {
        f"{kind}_{split}": out / f"{kind}_{split}.npy"
        for kind in "XY"
        for split in ("train", "validation", "test")
    } | {"manifest": out / "manifest.json"}
    try:
        preprocess(raw, hash_contents(raw), 0.2, 0.0, outputs)
    except DataError as error:
        assert str(error)
        assert_is_harmless(str(error))
        assert not list(out.glob("*"))
    else:
        for name in read_json(outputs["manifest"])["classes"]:
            assert_is_harmless(name)
        X = np.load(outputs["X_train"])
        assert X.dtype == np.float32
        assert np.isfinite(X).all()
    for path in out.glob("*"):
        path.unlink()


@many
@given(st.sampled_from(ROLES).flatmap(lambda role: damaged(IDX[role]).map(lambda c: (role, c))))
def test_any_damage_to_an_idx_file_is_found(tmp_path_factory, case):
    role, content = case
    try_to_prepare(tmp_path_factory.getbasetemp(), IDX | {role: content})


@many
@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4),
    st.integers(0, 255),
    st.binary(max_size=60),
)
def test_any_header_of_an_idx_file_is_believed_only_if_it_is_true(
    tmp_path_factory, shape, kind, content
):
    header = struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape)
    files = IDX | {"train_images": header + content}
    try_to_prepare(tmp_path_factory.getbasetemp(), files)


@many
@given(st.booleans().flatmap(lambda compressed: damaged(npz(compressed))))
def test_any_damage_to_an_npz_is_found(tmp_path_factory, content):
    try_to_prepare(tmp_path_factory.getbasetemp(), {"npz": content})


@many
@given(
    st.dictionaries(
        st.sampled_from(["x_train", "y_train", "x_test", "y_test", "../../x", "x_train.npy"])
        | FILE_NAMES.filter(encodes),
        damaged(b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (12,)}")
        | st.sampled_from([IMAGES, LABELS, IMAGES[:5], LABELS[:5]]).map(
            lambda array: (
                b"\x93NUMPY\x01\x00v\x00"
                + str({"descr": "|u1", "fortran_order": False, "shape": array.shape})
                .ljust(117)
                .encode()
                + b"\n"
                + array.tobytes()
            )
        ),
    )
)
def test_any_members_of_an_npz_are_read_or_refused(tmp_path_factory, members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    try_to_prepare(tmp_path_factory.getbasetemp(), {"npz": file.getvalue()})


def encoded(mode, ending):
    """A picture as the bytes of a file."""
    file = io.BytesIO()
    colours = Image.fromarray(rng.integers(0, 256, (9, 11, 4), np.uint8), "RGBA")
    colours.convert(mode).save(file, ending)
    return file.getvalue()


@many
@given(
    st.lists(HOSTILE_TEXT, min_size=1, max_size=3).map(
        lambda names: np.array([*names, "a", "b"])[np.arange(12) % (len(names) + 2)]
    )
    | arrays.arrays(
        np.uint32, 12, elements=st.integers(0, 2**32 - 1) | st.sampled_from([65, 66])
    ).map(lambda codes: codes.view("U1"))
    | arrays.arrays("U2", 12, elements=st.sampled_from(["a", "b", ""])),
    st.sampled_from("<>"),
)
def test_any_text_is_a_label_or_refused(tmp_path_factory, labels, order):
    file = io.BytesIO()
    np.savez(file, x_train=IMAGES, y_train=labels.view(labels.dtype.newbyteorder(order)))
    try_to_prepare(tmp_path_factory.getbasetemp(), {"npz": file.getvalue()})


@many
@given(FILE_NAMES, FILE_NAMES, st.sampled_from(ROLES), st.data())
def test_idx_files_may_have_any_names(tmp_path_factory, folder, name, role, data):
    content = data.draw(damaged(IDX[role]) | st.just(IDX[role]))
    top = tmp_path_factory.getbasetemp() / f"own{folder}"
    top.mkdir(exist_ok=True)
    names = {each: f"{each.replace('_', '-')}{name}.idx" for each in ROLES}
    for each in ROLES:
        (top / names[each]).write_bytes(IDX[each])
    try:
        (run,) = resolve_runs({"dataset": str(top)})
    except ConfigError as error:
        assert_is_harmless(str(error), is_one_line=False)
    else:
        assert run["files"].keys() == set(ROLES)
        try_to_prepare(top, IDX | {role: content}, names)
    shutil.rmtree(top)


@many
@given(FILE_NAMES, damaged(encoded("L", "png")) | st.just(encoded("L", "png")))
def test_images_to_predict_may_have_any_names(tmp_path_factory, name, content):
    folder = tmp_path_factory.getbasetemp() / "images"
    folder.mkdir(exist_ok=True)
    path = folder / f"a{name}.png"
    path.write_bytes(content)
    network = make_network(tmp_path_factory.getbasetemp())
    table, sheet = folder / "table.csv", folder / "sheet.json"
    try:
        images = [str(image) for image in find_image_files(str(folder))]
        predict(
            images, "auto", **network, run="a", hashes={}, predictions=table, contact_sheet=sheet
        )
    except DataError as error:
        assert_is_harmless(str(error), is_one_line=False)
        assert len(str(error).splitlines()) == 2
    else:
        assert len(read_csv(table)) == 1
        assert_is_harmless(table.read_text(), is_one_line=False)
    shutil.rmtree(folder)


@many
@given(damaged(npz(True)) | damaged(IDX["train_images"]) | st.binary(max_size=100))
def test_no_download_is_trusted_without_its_hash(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "download"
    path.write_bytes(content)
    with pytest.raises(DataError):
        pick_files([path], DATASETS["mnist"])


PICTURES = [
    *(encoded(mode, "png") for mode in ("L", "RGB", "RGBA", "P", "1", "LA", "I;16")),
    *(encoded(mode, "jpeg") for mode in ("L", "RGB", "CMYK")),
]
SHAPES = [(6, 5), (28, 28), (1, 9), (4, 3, 3)]


def is_as_trained(image, shape, background):
    """Whether an image becomes one like those of a dataset of this shape."""
    drawing = {"background": 0, "size": 0.7, "centre": [shape[1] / 2, shape[0] / 2]}
    pixels = to_network_input(image, list(shape), drawing, background)
    return pixels.shape == shape and np.isfinite(pixels).all()


@many
@given(st.sampled_from(PICTURES).flatmap(damaged), st.sampled_from(SHAPES))
def test_any_damage_to_a_picture_is_read_or_refused(tmp_path_factory, content, shape):
    path = tmp_path_factory.getbasetemp() / "picture.png"
    path.write_bytes(content)
    try:
        image, _ = read_image(path, longest=50)
    except DataError as error:
        assert str(error).startswith(str(path))
    else:
        assert image.min() >= 0 and image.max() <= 1
        assert max(image.shape[:2]) <= 50
        assert is_as_trained(image, shape, None)


@many
@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.int16, np.float32, np.float64, np.complex64, bool, "U3"]),
        arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5),
    ),
    st.sampled_from(SHAPES),
    st.sampled_from([None, 0, 1]),
)
def test_any_array_is_read_as_images_or_refused(tmp_path_factory, array, shape, background):
    path = tmp_path_factory.getbasetemp() / "images.npy"
    np.save(path, array, allow_pickle=True)
    try:
        images = read_arrays(path, 0, 255)
    except DataError as error:
        assert str(error).startswith(str(path))
    else:
        assert all(is_as_trained(image, shape, background) for image in images)
