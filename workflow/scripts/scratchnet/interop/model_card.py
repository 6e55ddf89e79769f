"""The model card of a run: a README.md with the headings that Hugging Face proposes."""

import json

from scratchnet.errors import escape_markdown
from scratchnet.evaluation.calibration import FEW_IMAGES, read_bins
from scratchnet.evaluation.evaluation import wilson_interval
from scratchnet.evaluation.summary import describe_missing_classes
from scratchnet.files import read_json

CARD = """---
library_name: numpy
pipeline_tag: image-classification
tags:
- scratchnet
- image-classification
metrics:
- accuracy
- f1
---

# Model Card for {name}

A neural network that classifies images of {shape} pixels into {k} classes. Its test accuracy is
{accuracy}.

## Model Details

- **Model type:** {architecture}
- **Trained with:** Scratchnet, a Snakemake workflow with networks written from scratch in NumPy
- **Classes:** {classes}

## Uses

Images like those of the dataset `{dataset}`: of the same size, on the same scale, and of one of the
classes. The network has no class for anything else, and is often confident all the same.

## Bias, Risks, and Limitations

{limits}

## How to Get Started with the Model

`network/network.npz` has the network as plain arrays, and [network/README.md](network/README.md)
has the code to predict with them, which needs only NumPy. `checkpoint.npz` also has the state of
the optimizer.

## Training Details

### Training Data

`{dataset}`: {training} training images, {validation} validation images and {test} test images.
`manifest.json` has the sha256 of the arrays, so that you can tell whether yours are the same.

### Training Procedure

{epochs} epochs{best}, with these settings; the others have their defaults:

| setting | value |
|---|---|
{settings}

## Evaluation

Measured on the {test} test images, which were not used for training. Intervals are those of Wilson,
of 95 %: they say how far chance in the choice of the test images reaches, not how much trainings
with other seeds differ.

### Results

| metric | value |
|---|---|
{metrics}

By class:

| class | test images | recall | interval | precision | F1 |
|---|---|---|---|---|---|
{per_class}

### Calibration

The confidence of a prediction is the probability of the predicted class. {calibration}

| confidence | images | mean confidence | accuracy | interval |
|---|---|---|---|---|
{bins}

### Pictures

{pictures}

## Technical Specifications

| | |
|---|---|
{environment}

To repeat the training, in a copy of Scratchnet (`make run` sets up its software):

```bash
cp path/to/this/folder/config.yaml config.yaml
make run
```
{own_data}
With the software and the kind of machine above, the checkpoint has the same bytes again.
`SHA256SUMS` has the checksums of all files: `sha256sum --check SHA256SUMS`.
"""

OWN_DATA = """
The data are not published: before `make run`, write the path of your copy after `dataset:`.
"""
FEW = f"Bins of confidence with fewer than {FEW_IMAGES} images, so that their accuracy says little:"
METRICS = {
    "train_loss": "training loss",
    "train_accuracy": "training accuracy",
    "validation_loss": "validation loss",
    "validation_accuracy": "validation accuracy",
    "test_loss": "test loss",
    "test_accuracy": "test accuracy",
    "test_balanced_accuracy": "balanced test accuracy",
    "test_macro_f1": "macro F1",
    "calibration_error": "expected calibration error",
    "temperature": "temperature that is best for the validation images",
    "scaled_calibration_error": "expected calibration error with this temperature",
}


def describe_run(name, settings, files, environment, pictures):
    """Return the model card of the run `name` as Markdown.

    `settings` are its settings by key. `files` maps manifest, metrics and calibration to the paths
    of these results. `environment` is that of its training, and `pictures` has the paths of its
    plots in the folder of the card.
    """
    manifest, metrics = read_json(files["manifest"]), read_json(files["metrics"])
    bins, _ = read_bins(files["calibration"])
    missing = describe_missing_classes([files["metrics"]])
    arrays, per_class, best = manifest["arrays"], metrics["per_class"], metrics.get("best_epoch")
    n_images = {
        split: f"{arrays[f'Y_{split}']['shape'][1]:,}" for split in ("train", "validation", "test")
    }
    return CARD.format(
        name=name,
        dataset=settings["dataset"],
        shape=" x ".join(map(str, manifest["image_shape"])),
        k=len(per_class),
        accuracy=_share(metrics["test_accuracy"], metrics["test_accuracy_interval"]),
        architecture=_describe_architecture(settings),
        classes=", ".join(escape_markdown(row["class"]) for row in per_class),
        limits="\n".join(f"- {line}" for line in _describe_limits(metrics, missing, bins)),
        training=n_images["train"],
        validation=n_images["validation"],
        test=n_images["test"],
        epochs=metrics["epochs"],
        best=f" (the weights are those of epoch {best})" if best else "",
        settings=_rows(
            (f"`{key}`", f"`{json.dumps(value)}`")
            for key, value in settings.items()
            if key != "classes"  # which are named above
        ),
        metrics=_rows(
            (label, _format_metric(key, metrics))
            for key, label in METRICS.items()
            if key in metrics
        ),
        per_class=_rows(map(_describe_class, per_class)),
        calibration=_describe_calibration(bins),
        bins=_rows(map(_describe_bin, bins)),
        pictures="\n\n".join(f"![{path}]({path})" for path in pictures),
        environment=_rows((key, f"`{value}`") for key, value in environment.items()),
        own_data=OWN_DATA if "content" in settings else "",
    )


def _rows(rows):
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def _share(share, interval=None):
    text = f"{share:.2%}"
    return text + (f" ({interval[0]:.2%} to {interval[1]:.2%})" if interval else "")


def _format_metric(key, metrics):
    if key.endswith("_loss") or key == "temperature":
        return f"{metrics[key]:.4f}"
    return _share(metrics[key], metrics.get(f"{key}_interval"))


def _describe_architecture(settings):
    """Return the kind of the network, its layers and their activation."""
    blocks = settings.get("model.convolutions", [])
    hidden = settings["model.hidden"]
    parts = [f"{len(blocks)} convolution block{'s' * (len(blocks) > 1)}"] if blocks else []
    if hidden:
        layers = "hidden layers" if len(hidden) > 1 else "a hidden layer"
        parts.append(f"{layers} of {', '.join(map(str, hidden))} units")
    if not parts:
        return "softmax regression"
    return f"neural network with {' and '.join(parts)}, {settings['model.activation']}"


def _describe_class(row):
    n, recall = row["images"], row["recall"]
    known = [f"{recall:.1%}", _interval(recall, n)] if n else ["", ""]
    scores = ["" if row[name] is None else f"{row[name]:.1%}" for name in ("precision", "f1")]
    return [escape_markdown(row["class"]), f"{n:,}", *known, *scores]


def _describe_bin(row):
    n, accuracy = int(row["images"]), row["accuracy"]
    place = f"{row['from']:.0%} to {row['to']:.0%}"
    return [place, f"{n:,}", f"{row['confidence']:.1%}", f"{accuracy:.1%}", _interval(accuracy, n)]


def _interval(share, n):
    low, high = wilson_interval(share, n)
    return f"{low:.1%} to {high:.1%}"


def _describe_calibration(bins):
    """Return a sentence that compares the mean confidence with the accuracy."""
    n = sum(row["images"] for row in bins)
    confidence, accuracy = (
        sum(row["images"] * row[key] for row in bins) / n for key in ("confidence", "accuracy")
    )
    low, high = wilson_interval(accuracy, n)
    kind = "underconfident" if confidence < low else "overconfident"
    kind = "neither over- nor underconfident" if low <= confidence <= high else kind
    return f"Its mean is {confidence:.1%}, and {accuracy:.1%} are correct: the network is {kind}."


def _describe_limits(metrics, missing, bins):
    """Return sentences on what the numbers do not show, and where the network is weak.

    `missing` has lines about classes that are never predicted, or have no test images.
    """
    tested = [row for row in metrics["per_class"] if row["images"]]
    worst = min(tested, key=lambda row: row["recall"])
    few = sum(row["images"] < FEW_IMAGES for row in bins)
    name = escape_markdown(worst["class"])
    return [
        *(f"{escape_markdown(note)}." for note in metrics.get("notes", [])),
        "The test images come from the same source as the training images. On others, such as "
        "those of another camera or another hand, the accuracy is usually lower.",
        f"The class with the lowest recall is {name}: {worst['recall']:.1%} of its images.",
        *(f"{escape_markdown(line)}." for line in missing),
        *([f"{FEW} {few}."] if few else []),
        "Small changes that are made on purpose can fool it (`snakemake explain` measures that).",
    ]
