"""Training: a single epoch, divergence, validation, resuming, early stopping, checkpoints."""

import re
import time
from functools import partial

import numpy as np
import pytest

from reference import one_hot
from scratchnet.errors import ConfigError, DivergenceError
from scratchnet.files import read_json, write_json
from scratchnet.nn.augmentation import augment_batches
from scratchnet.nn.batches import generate_batches
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.metrics import PREDICTION_BATCH, accuracy, best_epoch, logits
from scratchnet.nn.network import build_mlp, initial_weights
from scratchnet.nn.optimizers import SGD
from scratchnet.random_streams import random_stream
from scratchnet.training.checkpoints import (
    Checkpoint,
    load_checkpoint,
    load_outcome,
    save_checkpoint,
)
from scratchnet.training.loop import Training, train_epoch
from scratchnet.training.loop import train as train_on
from scratchnet.training.segments import train_to_checkpoint

# NumPy warnings, such as for an overflow, fail a test.
pytestmark = pytest.mark.filterwarnings("error")

N_IN, N_CLASSES = 12, 3

SETTINGS = {
    "model.hidden": [5],
    "model.activation": "relu",
    "model.dropout": 0.0,
    "model.initializer": "random_normal",
    "training.batch_size": 8,
    "training.optimizer": "sgd",
    "training.learning_rate": 0.3,
    "training.weight_decay": 0.0,
    "training.schedule": "constant",
    "training.patience": None,
    "training.seed": 4,
}

MODEL = ("hidden", "convolutions", "activation", "dropout", "initializer")


def samples(n, seed=0):
    """Return n random images X and labels Y, in the memory order of the pipeline's arrays."""
    rng = np.random.default_rng([n, seed])
    X = rng.random((N_IN, n), np.float32)
    Y = one_hot(rng.integers(N_CLASSES, size=n), N_CLASSES).astype(np.float32)
    return np.asfortranarray(X), np.asfortranarray(Y)


def dataset(n_train, n_validation=0):
    names = ("X_train", "Y_train", "X_validation", "Y_validation")
    return dict(zip(names, (*samples(n_train), *samples(n_validation, seed=1))))


def make_network(dropout=0.0):
    weights = initial_weights(N_IN, N_CLASSES, [16], "random_normal", random_stream(0, "weights"))
    return build_mlp(weights, "relu", dropout)


def train(training, data, epochs, batch_size=8, **settings):
    """Continue a Training in place, without early stopping; return it."""
    settings |= {"training.batch_size": batch_size, "training.seed": 4, "training.patience": None}
    train_on(training, data, settings, epochs)
    return training


def assert_equal(arrays, others):
    """Assert that two dicts of arrays are bitwise equal."""
    assert arrays.keys() == others.keys()
    for name in arrays:
        assert np.array_equal(arrays[name], others[name]), name


@pytest.fixture
def segment(tmp_path):
    """Return a function that trains to `epochs` and returns the paths of checkpoint and record.

    Its argument `start` has the two paths of the segment to continue from, if any.
    """
    data = {}
    for name, array in dataset(n_train=20, n_validation=6).items():
        data[name] = tmp_path / f"{name}.npy"
        np.save(data[name], array)
    manifest = tmp_path / "manifest.json"
    write_json(manifest, {"image_shape": [4, 3], "minimum": 0, "maximum": 1})

    def run(name, epochs, start=(), augmentation=None, may_diverge=False, threads=1, **settings):
        files = [tmp_path / f"{name}.npz", tmp_path / f"{name}.json"]
        changed = {
            f"{'model' if key in MODEL else 'training'}.{key}": value
            for key, value in settings.items()
        }
        for key, value in (augmentation or {}).items():
            changed[f"augmentation.{key}"] = value
        settings = SETTINGS | changed
        train_to_checkpoint(
            name, data, manifest, settings, epochs, start, *files, may_diverge, threads
        )
        return files

    return run


# An epoch


def test_epoch_loss_and_accuracy_are_means_over_samples():
    # Batches of 3, 3 and 1 samples. With a learning rate of 0 the network does not change, so the
    # loss of each batch can be computed beforehand.
    network = make_network()
    for _, parameter, _ in network.parameters():
        parameter *= 100  # weights of size 1, so that the losses differ
    batches = [
        (X.copy(), Y.copy()) for X, Y in generate_batches(*samples(7), 3, np.random.default_rng(0))
    ]
    a, b, c = (softmax_crossentropy(network.forward(X), Y)[0] for X, Y in batches)
    right = sum(np.sum(network.forward(X).argmax(0) == Y.argmax(0)) for X, Y in batches)
    assert 0 < right < 7
    assert train_epoch(network, SGD(learning_rate=0.0), batches) == {
        "loss": (3 * a + 3 * b + 1 * c) / 7,
        "accuracy": pytest.approx(right / 7),
    }


def test_an_epoch_takes_one_step_for_each_batch():
    X, Y = samples(6)
    by_hand, trained = make_network(), make_network()
    for part in (np.s_[:, :4], np.s_[:, 4:]):
        by_hand.backward(softmax_crossentropy(by_hand.forward(X[part]), Y[part])[1])
        for _, parameter, gradient in by_hand.parameters():
            parameter -= 0.3 * gradient
    train_epoch(trained, SGD(0.3), [(X[:, :4], Y[:, :4]), (X[:, 4:], Y[:, 4:])])
    assert_equal(trained.weights(), by_hand.weights())


@pytest.mark.parametrize("strengths", [{}, {"shift": 1}], ids=["plain", "augmented"])
def test_the_random_numbers_of_an_epoch_follow_from_seed_and_epoch(strengths):
    """Those of the order, of the dropout masks and of the distortions: a stream for each."""
    data, (trained, by_hand) = dataset(20), (make_network(dropout=0.3) for _ in range(2))
    settings = {f"augmentation.{name}": strength for name, strength in strengths.items()}
    train(Training(trained, SGD(0.3), image_shape=(4, 3)), data, 3, **settings)
    for epoch in (1, 2, 3):
        shuffling, distorting, dropping = (
            random_stream(4, purpose, epoch) for purpose in ("shuffling", "augmentation", "dropout")
        )
        batches = generate_batches(data["X_train"], data["Y_train"], 8, shuffling)
        if strengths:
            batches = augment_batches(batches, (4, 3), distorting, **strengths)
        train_epoch(by_hand, SGD(0.3), batches, dropping)
    assert_equal(trained.weights(), by_hand.weights())


# Divergence

# Where training diverges: the settings of the segment, and the message.
DIVERGING = {
    "in an epoch": (
        {"learning_rate": 1e30},
        r"epoch 1 of 5: .* at batch 2, with a learning rate of 1e\+30\.",
    ),
    "between epochs": (
        {"learning_rate": 1e21, "batch_size": 20},
        r"epoch 2 of 5: .* (at|after) batch 1, with a learning rate of 1e\+21\.",
    ),
    "with a schedule": (
        {"learning_rate": 1e38, "batch_size": 20}
        | {"schedule": "step", "decay_epochs": 1, "decay_rate": 0.1},
        r"epoch 1 of 5: .* a learning rate of 1e\+37\.",
    ),
    "in a replica": ({"learning_rate": 1e30, "replicas": 2, "threads": 2}, "diverged in epoch"),
}


@pytest.mark.parametrize(("settings", "message"), DIVERGING.values(), ids=DIVERGING)
def test_the_divergence_error_names_epoch_batch_and_the_present_learning_rate(
    segment, settings, message
):
    with pytest.raises(DivergenceError, match=message):
        segment("fast", 5, **settings)


def test_a_diverged_segment_changes_no_file(tmp_path, segment):
    start = segment("short", epochs=1)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DivergenceError):
        segment("long", epochs=3, start=start, learning_rate=1e39)  # infinite in float32
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


# A rate at which the second epoch diverges.
EXPLODES = {"learning_rate": 1e21, "batch_size": 20}


def test_a_trial_that_diverges_has_a_checkpoint_that_says_so(segment):
    checkpoint, record = segment("trial", 5, may_diverge=True, **EXPLODES)
    history, why = load_outcome(checkpoint)
    assert len(history["loss"]) == len(history["val_loss"]) == 1
    assert re.fullmatch(r"the .*(loss|weights) .*, with a learning rate of 1e\+21", why)
    assert read_json(record)["epochs"] == 1
    message = (
        rf"^training diverged in epoch 2: {re.escape(why)}\. Try a lower training\.learning_rate"
    )
    with pytest.raises(DivergenceError, match=message):
        load_checkpoint(checkpoint)


def test_a_run_that_continues_a_diverged_trial_diverges(segment):
    trial = segment("trial", 3, may_diverge=True, **EXPLODES)
    with pytest.raises(DivergenceError, match="diverged in epoch 2"):
        segment("run", 5, trial, **EXPLODES)


def test_a_diverged_trial_is_the_same_bytes_however_it_came_there(segment):
    paths = [segment("start", 1, **EXPLODES)]
    paths.append(segment("short", 2, paths[0], may_diverge=True, **EXPLODES))
    paths.append(segment("long", 5, paths[1], may_diverge=True, **EXPLODES))
    whole, _ = segment("whole", 5, may_diverge=True, **EXPLODES)
    assert {path.read_bytes() for path, _ in paths[1:]} == {whole.read_bytes()}


def test_a_trial_that_does_not_diverge_is_like_any_run_and_its_outcome_is_its_history(segment):
    trial, run = segment("trial", 2, may_diverge=True)[0], segment("run", 2)[0]
    assert trial.read_bytes() == run.read_bytes()
    assert load_outcome(run) == (load_checkpoint(run).history, "")


# Validation


def test_validation_measures_the_network_after_each_epoch():
    data, training = dataset(20, n_validation=6), Training(make_network(), SGD(0.3))
    X, Y = data["X_validation"], data["Y_validation"]
    expected = []
    for epochs in (1, 2, 3):
        Z = train(training, data, epochs).network.forward(X)
        expected.append((softmax_crossentropy(Z, Y)[0], np.mean(Z.argmax(0) == Y.argmax(0))))
    history = training.history
    assert list(zip(history["val_loss"], history["val_accuracy"], strict=True)) == expected


def test_validation_samples_do_not_affect_training():
    one, other = (
        train(Training(make_network(), SGD(0.3)), dataset(20, n_validation), 3)
        for n_validation in (0, 6)
    )
    assert_equal(one.network.weights(), other.network.weights())
    assert one.history["loss"] == other.history["loss"]
    assert [len(values) for values in one.history.values()] == [3, 3, 0, 0]


def test_accuracy_is_the_fraction_of_correct_predictions():
    Z = np.array([[3.0, 0.1, -5.0, 0.0], [1.0, 0.2, -7.0, 9.0], [2.0, 0.3, -6.0, 1.0]])
    assert accuracy(Z, one_hot([0, 1, 0, 1], 3)) == 0.75


def test_logits_in_slices_equal_those_of_a_single_pass():
    network = make_network()
    X, _ = samples(2 * PREDICTION_BATCH + 3)
    np.testing.assert_allclose(logits(network, X), network.forward(X), rtol=1e-5)


# Segments


BLOCK = {"filters": 3, "kernel": 2, "pool": 1, "padding": "valid"}
OPTIONS = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "weight decay": {"weight_decay": 0.1},
    "adam": {"optimizer": "adam", "learning_rate": 0.02},
    "adam, odd": {"optimizer": "adam", "beta_1": 0.5, "beta_2": 0.8, "epsilon": 0.01},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.02, "rho": 0.8},
    "clipping": {"clip_norm": 0.1},
    "label smoothing": {"label_smoothing": 0.1},
    "l2": {"l2": 0.01},
    "step": {"schedule": "step", "decay_epochs": 3, "decay_rate": 0.5, "momentum": 0.9},
    "exponential": {"schedule": "exponential", "decay_epochs": 3, "decay_rate": 0.5},
    "warm-up": {"warmup_epochs": 3},
    "cosine": {"schedule": "cosine", "decay_epochs": 5, "decay_rate": 0.0},
    "dropout": {"dropout": 0.4},
    "leaky_relu": {"activation": "leaky_relu"},
    "elu": {"activation": "elu"},
    "gelu": {"activation": "gelu"},
    "sigmoid": {"activation": "sigmoid"},
    "tanh": {"activation": "tanh", "initializer": "glorot_uniform"},
    "augmentation": {"augmentation": {"shift": 1, "elastic": 3}},
    "convolutions": {"convolutions": [BLOCK | {"padding": "same"}, BLOCK]},
    "all of them": {
        "convolutions": [BLOCK],
        "augmentation": {"rotation": 20},
        "optimizer": "adam",
        "learning_rate": 0.02,
        "weight_decay": 0.1,
        "dropout": 0.4,
        "schedule": "cosine",
        "decay_epochs": 5,
        "decay_rate": 0.1,
        "patience": 3,
        "warmup_epochs": 3,
        "clip_norm": 0.1,
        "label_smoothing": 0.1,
        "l2": 0.01,
    },
}
each_option = pytest.mark.parametrize("settings", OPTIONS.values(), ids=OPTIONS)


CHANGED = {"seed": {"seed": 5}, "batch size": {"batch_size": 7}, "rate": {"learning_rate": 0.2}}


@each_option
def test_a_resumed_run_gives_the_same_bytes_as_an_uninterrupted_one(segment, settings):
    whole, _ = segment("whole", 6, **settings)
    start = segment("start", 2, **settings)
    before = [path.read_bytes() for path in start]
    resumed, _ = segment("resumed", 6, start, **settings)
    assert resumed.read_bytes() == whole.read_bytes()
    assert [path.read_bytes() for path in start] == before
    # Otherwise training changed nothing, and equal bytes would prove nothing.
    early, late = load_checkpoint(start[0]).network["0.W"], load_checkpoint(whole).network["0.W"]
    assert not np.array_equal(early, late)


@pytest.mark.parametrize(
    "settings", [each for each in (OPTIONS | CHANGED).values() if each], ids=str
)
def test_each_setting_changes_the_weights(segment, settings):
    plain, other = segment("plain", 4)[0], segment("other", 4, **settings)[0]
    weights = [load_checkpoint(path).network["0.W"] for path in (plain, other)]
    assert not np.array_equal(*weights)


def test_a_segment_builds_the_network_in_its_settings_with_the_convolutions_first(segment):
    def shapes(**settings):
        network = load_checkpoint(segment("any", 1, **settings)[0]).network
        return [network[f"{i}.W"].shape for i in range(len(network))]

    assert shapes() == [(5, N_IN + 1), (N_CLASSES, 5 + 1)]
    # 4 x 3 pixels, then 3 x 2 with 2 channels, then 2 x 1 with 3.
    blocks = [BLOCK | {"filters": 2}, BLOCK]
    assert shapes(convolutions=blocks) == [(2, 5), (3, 9), (5, 7), (3, 6)]


def test_images_that_are_too_small_for_a_kernel_are_an_error_of_the_configuration(segment):
    message = (
        r"^model.convolutions\[1\].kernel: 3 x 3 is larger than the 3 x 2 pixels that reach it"
    )
    with pytest.raises(ConfigError, match=message):
        segment("any", 1, convolutions=[BLOCK, BLOCK | {"kernel": 3}])


def test_the_seconds_of_segments_add_up(segment):
    checkpoint, record = segment("start", 1)
    write_json(record, read_json(record) | {"seconds": 1000.0})
    _, resumed = segment("resumed", 2, [checkpoint, record])
    assert 1000 < read_json(resumed)["seconds"] < 1600


# The learning rate


def test_a_smaller_last_batch_counts_as_a_step_of_the_schedule(segment):
    # 20 images in batches of 8 are 3 steps per epoch. After one epoch the learning rate is 0, so
    # further epochs change nothing. With 2 steps per epoch it would be 0 within the first epoch.
    fallen = {"schedule": "step", "decay_epochs": 1, "decay_rate": 0.0}
    one, three = segment("one", 1, **fallen)[0], segment("three", 3, **fallen)[0]
    assert_equal(load_checkpoint(three).network, load_checkpoint(one).network)
    plain = segment("plain", 1)[0]
    assert_equal(load_checkpoint(plain).network, load_checkpoint(one).network)


def test_a_validation_loss_that_is_not_finite_is_divergence():
    data = dataset(20, n_validation=6)
    data["X_validation"][:] = np.inf
    message = r"epoch 1 of 5: the validation loss is (nan|inf), with a "
    with pytest.raises(DivergenceError, match=message):
        train(Training(make_network(), SGD(0.3)), data, 5)


# Early stopping


def overfitting(segment, name, epochs, start=(), patience=4):
    """Train with Adam and a learning rate that overfits twenty random images within few epochs."""
    settings = {"optimizer": "adam", "learning_rate": 0.05, "patience": patience}
    return segment(name, epochs, start, **settings)


def test_training_stops_after_patience_epochs_without_improvement(segment):
    for patience in (1, 4):
        state = load_checkpoint(overfitting(segment, "any", 60, patience=patience)[0])
        losses = state.history["val_loss"]
        assert len(losses) == losses.index(min(losses)) + 1 + patience < 60


def test_the_weights_of_the_best_epoch_are_kept(segment):
    state = load_checkpoint(overfitting(segment, "stopped", 60)[0])
    best = 1 + int(np.argmin(state.history["val_loss"]))
    until = load_checkpoint(overfitting(segment, "until then", best, patience=None)[0])
    assert until.best == {}
    assert_equal(until.trained, until.network)
    assert_equal(state.best, until.network)
    assert_equal(state.trained, state.best)
    assert not np.array_equal(state.network["0.W"], state.best["0.W"])


@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2])
def test_resumed_training_stops_early_at_the_same_epoch(segment, offset):
    whole = overfitting(segment, "whole", 60)[0]
    stop = len(load_checkpoint(whole).history["loss"])
    start = overfitting(segment, "start", stop + offset)
    resumed = overfitting(segment, "resumed", 60, start)[0]
    assert resumed.read_bytes() == whole.read_bytes()


def test_the_first_of_equally_good_epochs_is_the_best():
    assert best_epoch({"val_loss": [0.3, 0.2, 0.5, 0.2]}) == 2


# Checkpoints


@pytest.mark.parametrize(
    ("momentum", "kept"), [(0.0, set()), (0.9, {"velocity.0.W", "velocity.1.W"})]
)
def test_a_checkpoint_loads_as_it_was_saved_and_is_the_same_bytes_again(
    tmp_path, monkeypatch, momentum, kept
):
    training = train(Training(make_network(), SGD(0.3, momentum)), dataset(20, 6), 2)
    network, optimizer, history = training.network, training.optimizer, training.history
    assert optimizer.state.keys() == {"iterations"} | kept
    assert optimizer.state["iterations"] == 2 * 3
    saved = Checkpoint(network.weights(), optimizer.state, history, {"0.W": np.arange(3.0)})
    save_checkpoint(tmp_path / "a.npz", saved)
    loaded = load_checkpoint(tmp_path / "a.npz")
    for part in ("network", "optimizer", "best"):
        assert_equal(getattr(loaded, part), getattr(saved, part))
    assert loaded.history == saved.history
    # Zip files may contain the time, in steps of two seconds: change it by much more.
    monkeypatch.setattr(time, "time", partial(float, 2_000_000_000))
    save_checkpoint(tmp_path / "b.npz", saved)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_failed_save_keeps_the_old_checkpoint(tmp_path, monkeypatch):
    def fail(path, **arrays):
        path.write_text("half a checkpo")
        raise OSError("no space left")

    checkpoint = Checkpoint({"0.W": np.ones(3)}, {}, {"loss": [1.0]})
    save_checkpoint(tmp_path / "a.npz", checkpoint)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="no space left"):
        save_checkpoint(tmp_path / "a.npz", checkpoint)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_weights_that_are_not_finite_after_the_last_step_are_divergence():
    """No loss is computed after the last step, so the weights must be checked."""
    network, rate = make_network(), 1e39
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(DivergenceError, match="weights"),
    ):
        train_epoch(network, SGD(rate), [samples(20)])


# Replicas


def test_replicas_give_the_same_bytes_with_any_threads_in_one_piece_or_two(segment):
    """The batches are of 8, 8 and 4 images: in the last, the sixth replica has none."""
    settings = {"replicas": 6, "dropout": 0.3, "momentum": 0.5, "clip_norm": 0.1, "l2": 0.01}
    expected, record = segment("one", 4, **settings)
    for threads in (2, 8):
        checkpoint, _ = segment("other", 4, threads=threads, **settings)
        assert checkpoint.read_bytes() == expected.read_bytes()
    half = segment("half", 2, threads=3, **settings)
    checkpoint, _ = segment("whole", 4, half, threads=2, **settings)
    assert checkpoint.read_bytes() == expected.read_bytes()
    assert read_json(record)["epochs"] == 4


def test_replicas_learn_what_one_network_learns(segment):
    settings = {"clip_norm": 0.1, "l2": 0.01, "label_smoothing": 0.1}
    one, several = (load_checkpoint(segment(str(n), 5, replicas=n, **settings)[0]) for n in (1, 3))
    for name, W in one.network.items():
        np.testing.assert_allclose(several.network[name], W, rtol=1e-4, atol=1e-6)
    assert not all(np.array_equal(several.network[name], W) for name, W in one.network.items())
