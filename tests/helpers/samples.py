"""A tiny dataset of the MNIST family for tests: 60 + 20 images of 6 x 5 pixels, in 10 classes."""

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np

from scratchnet.data.registry import Dataset

N_TRAIN, N_TEST = 60, 20
HEIGHT, WIDTH = 6, 5
CLASSES = tuple("0123456789")
FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


def make_arrays():
    """The images (n, 6, 5) and labels (n,), by the keys of FILES; the same ones every time.

    The training pixels span 10 to 200 and the test pixels 0 to 255, so a scale that is not taken
    from the training images shows.
    """
    rng = np.random.default_rng(1)
    train = rng.integers(10, 201, (N_TRAIN, HEIGHT, WIDTH), np.uint8)
    test = rng.integers(0, 256, (N_TEST, HEIGHT, WIDTH), np.uint8)
    train[3, 2, 1], train[7, 5, 4] = 10, 200
    test[3, 2, 1], test[7, 5, 4] = 0, 255
    return {
        "train_images": train,
        "train_labels": rng.permutation(N_TRAIN).astype(np.uint8) % 10,
        "test_images": test,
        "test_labels": rng.permutation(N_TEST).astype(np.uint8) % 10,
    }


def idx_bytes(array, magic=None, shape=None):
    """A uint8 array as an IDX file, spelled out byte by byte; a false magic or shape on request."""
    shape = array.shape if shape is None else shape
    header = bytes([0, 0, 8, array.ndim]) if magic is None else magic
    return header + b"".join(n.to_bytes(4, "big") for n in shape) + array.tobytes()


def make_contents():
    """The bytes of each IDX file, by its name."""
    return {FILES[key]: idx_bytes(array) for key, array in make_arrays().items()}


def make_dataset(*sources):
    """The tiny dataset, to be had from `sources`."""
    contents = make_contents()
    return Dataset(
        sha256={name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        sources=sources,
        max_file_size=max(map(len, contents.values())),
        classes=CLASSES,
    )


def write_idx(folder):
    """Write the IDX files into `folder`; returns {key of FILES: path}."""
    for name, content in make_contents().items():
        (folder / name).write_bytes(content)
    return {key: folder / name for key, name in FILES.items()}


def gzipped(content):
    """`content` as the bytes of a .gz file."""
    return gzip.compress(content, mtime=0)


def tgz(contents, folder="package/data/"):
    """{name: bytes} as the bytes of a .tgz file, in which the files lie in `folder`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(folder + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def npz(arrays, save=np.savez_compressed):
    """{name: array} as the bytes of a .npz file, compressed unless `save` is np.savez."""
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def keras_npz():
    """The dataset as Keras packs it."""
    arrays = make_arrays()
    names = ("x_train", "y_train", "x_test", "y_test")
    return npz({name: arrays[key] for name, key in zip(names, FILES)})


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    """{name: bytes} as the bytes of a .zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def npy(array, version=None):
    """An array as the bytes of a .npy file."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version)
    return buffer.getvalue()


def npy_header(shape, dtype="|u1"):
    """A .npy file that ends with its header."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return buffer.getvalue()


def pickle_that_makes(folder):
    """A pickle as bytes; whoever unpickles it has made `folder`."""
    return f"cos\nmkdir\n(V{folder}\ntR.".encode()  # os.mkdir(folder)


def flipped(content, position, bit=0):
    """`content` with one bit changed."""
    changed = bytearray(content)
    changed[position] ^= 1 << bit
    return bytes(changed)


def peak_memory(action):
    """How many bytes of memory `action`, a function, has in use at most; not what it maps."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# A child of pytest would start with the memory of pytest, so another process is between the two.
MEASURE = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000)
"""


def peak_of_process(program, *arguments):
    """The peak memory in MB of a Python `program`, given as text, which must succeed."""
    process = subprocess.run(
        [sys.executable, "-c", MEASURE, program, *map(str, arguments)],
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "workflow" / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return float(process.stdout.splitlines()[-1])
