"""What `snakemake predict` is asked for: which images, and the network of which run.

Needs no NumPy: it is part of planning.
"""

from dataclasses import dataclass
from pathlib import Path

from scratchnet import image_files, own_data, pipeline
from scratchnet.errors import ConfigError
from scratchnet.fingerprint.values import short_hash
from scratchnet.trained_runs import find_run


@dataclass(frozen=True)
class PredictionRequest:
    """`images` are paths, `network` are the files of the run; `settings` is what both are known by.

    `place` is the folder of the results, e.g. digits-1a2b3c4d, after the content of all files, and
    after the paths of image files and their order, which are in the results too.
    """

    place: str
    settings: dict
    images: list
    network: dict


def resolve(settings, results):
    """The PredictionRequest in the `settings` of a run, for a run in the folder `results`.

    Raises ConfigError, which says all that is wrong.
    """
    asked, problems = settings["predict.images"], []
    images, contents, run = [], [], None
    try:
        if not asked:
            raise ConfigError(
                "say which, e.g. snakemake --cores 1 predict --config 'predict={images: a/folder}'"
            )
        images = image_files.find(asked)
        contents = [own_data.content_hash({"image": path}) for path in images]
    except (ConfigError, OSError) as error:
        problems.append(f"predict.images: {error}")
    try:
        run = find_run(Path(results), settings["predict.run"])
    except (ConfigError, OSError) as error:
        problems.append(f"predict.run: {error}")
    if problems:
        raise ConfigError("\n  ".join(["predictions cannot be made:", *problems]))
    named = [str(path) for path in images if not image_files.is_array(path)]
    known = settings | {
        "predict.images": short_hash([named, contents]),
        "predict.network": own_data.content_hash(
            {role: Path(path) for role, path in run.files.items() if role != "X_test"}
        ),
        "predict.run": run.name,
        "model.activation": run.activation,
    }
    label = own_data.label(asked) if isinstance(asked, str) else "images"
    place = f"{label}-{short_hash(pipeline.identity('predict_images', known))}"
    return PredictionRequest(place, known, [str(path) for path in images], run.files)
