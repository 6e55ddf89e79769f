"""What `snakemake predict` is asked for: which images, and the network of which run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scratchnet.data import user_data
from scratchnet.errors import ConfigError
from scratchnet.files import hash_file
from scratchnet.planning.stage_settings import identity, short_hash
from scratchnet.planning.trained_runs import find_run
from scratchnet.predict import image_files


@dataclass(frozen=True)
class PredictionRequest:
    """The images to predict, and the network to predict them with.

    `name` is the wildcard `prediction`, the folder of the results, e.g. digits-1a2b3c4d. It depends
    on the content of all files, and on the paths and the order of image files, which the results
    contain. `settings` identify both, `images` are paths, and `network` has the files of the `run`.
    `hashes` maps the paths of all files to their sha256; those of X_test do not count.
    """

    name: str
    settings: Mapping
    images: list[str]
    network: Mapping[str, str]
    hashes: Mapping[str, str]
    run: str


def resolve_request(settings: Mapping, root: str | Path) -> PredictionRequest:
    """Return what `settings` ask for, with the runs in results/ in the folder `root`.

    Raises ConfigError, which lists every mistake.
    """
    asked, problems = settings["predict.images"], []
    images, hashes, run = [], [], None
    try:
        if not asked:
            raise ConfigError(
                "name them, e.g. snakemake --cores 1 predict --config 'predict={images: a/folder}'"
            )
        images = image_files.find_image_files(asked)
        hashes = [hash_file(path) for path in images]
    except (ConfigError, OSError) as error:
        problems.append(f"predict.images: {error}")
    try:
        run = find_run(root, settings["predict.run"])
    except (ConfigError, OSError) as error:
        problems.append(f"predict.run: {error}")
    if problems:
        raise ConfigError("\n  ".join(["predictions cannot be made:", *problems]))
    network = {role: hash_file(path) for role, path in run.files.items() if role != "X_test"}
    names = [str(path) for path in images if not image_files.is_array(path)]
    known = settings | {
        "predict.images": short_hash([names, hashes]),
        "predict.network": user_data.combine_hashes(network),
        "predict.run": run.name,
        "model.activation": run.activation,
    }
    known.pop("model.convolutions", None)  # those of the configuration
    if run.convolutions:
        known["model.convolutions"] = run.convolutions
    label = user_data.dataset_label(asked) if isinstance(asked, str) else "images"
    name = f"{label}-{short_hash(identity('predict_images', known))}"
    images = [str(path) for path in images]
    all_hashes = dict(zip(images, hashes)) | {run.files[role]: network[role] for role in network}
    return PredictionRequest(name, known, images, run.files, all_hashes, run.name)
