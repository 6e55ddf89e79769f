"""A trained network, with all that is needed to use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scratchnet.files import read_json
from scratchnet.nn.network import build_network
from scratchnet.pixel_range import find_moments, find_pixel_range, find_scaling
from scratchnet.training.checkpoints import load_checkpoint


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network.

    `weights` has the arrays of its layers, as `build_network` takes them. `manifest` describes the
    arrays that it was trained on, and `metrics` says how it does on the test images. `convolutions`
    are the settings of its convolution blocks, and `activation` is that of blocks and hidden
    layers, or None without any.
    """

    weights: Sequence[np.ndarray]
    manifest: Mapping
    metrics: Mapping
    convolutions: Sequence[Mapping]
    activation: str | None

    @classmethod
    def load(cls, checkpoint, manifest, metrics, settings):
        """Return the network in the file `checkpoint` of a run with `settings`.

        `manifest` and `metrics` are paths of JSON files.
        """
        return cls(
            [*load_checkpoint(checkpoint).trained.values()],
            read_json(manifest),
            read_json(metrics),
            settings.get("model.convolutions", ()),
            settings.get("model.activation"),
        )

    @property
    def image_shape(self):
        """The shape of its images, (height, width) or (height, width, 3)."""
        return self.manifest["image_shape"]

    @property
    def pixel_range(self):
        """The values of black and white in the images that the network reads."""
        return find_pixel_range(self.manifest)

    def scaling(self, raw_pixels):
        """Return what to subtract from the pixels of an image, and what to divide them by.

        The image is raw, or it is scaled to 0 to 1: then this is 0 and 1, unless the network reads
        standardised pixels.
        """
        return find_scaling(self.manifest) if raw_pixels else find_moments(self.manifest)

    @property
    def classes(self):
        """The names of the classes, in the order of the outputs."""
        return [row["class"] for row in self.metrics["per_class"]]

    def build(self):
        """Return the Network."""
        return build_network(self.weights, self.image_shape, self.convolutions, self.activation)
