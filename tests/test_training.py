"""Training: what an epoch does, and that segments of it join without a seam."""

from itertools import pairwise

import numpy as np
import pytest

from reference import one_hot
from scratchnet import training
from scratchnet.batches import generate_batches
from scratchnet.checkpoints import load_checkpoint
from scratchnet.config import APPLIES
from scratchnet.errors import DivergenceError
from scratchnet.files import read_json, write_json
from scratchnet.losses import softmax_crossentropy
from scratchnet.metrics import SLICE, accuracy, best_epoch, logits
from scratchnet.network import build, initial_weights
from scratchnet.optimizers import SGD, Adam
from scratchnet.streams import random_stream
from scratchnet.training import make_optimizer, run_segment, train, train_epoch

# A warning of NumPy (an overflow, say) fails a test.
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
    "training.momentum": 0.0,
    "training.nesterov": False,
    "training.weight_decay": 0.0,
    "training.schedule": "constant",
    "training.decay_epochs": 20,
    "training.decay_rate": 0.1,
    "training.patience": None,
    "training.seed": 4,
}


def settings_of(**changes):
    """SETTINGS with `changes`, e.g. momentum=0.9, and as in a run without what does not apply."""
    settings = dict(SETTINGS)
    for key, value in changes.items():
        (name,) = (name for name in SETTINGS if name.endswith(f".{key}"))
        settings[name] = value
    for name, applies in APPLIES.items():
        if not applies(settings):
            settings.pop(name, None)
    return settings


def samples(n, seed=0):
    """n random pictures X with random labels Y, stored as the pipeline stores them."""
    rng = np.random.default_rng([n, seed])
    X = rng.random((N_IN, n), np.float32)
    Y = one_hot(rng.integers(N_CLASSES, size=n), N_CLASSES).astype(np.float32)
    return np.asfortranarray(X), np.asfortranarray(Y)


def dataset(n_train, n_validation=0, seed=1):
    """Arrays to train with; `seed` decides those of the validation."""
    X_train, Y_train = samples(n_train)
    X_validation, Y_validation = samples(n_validation, seed)
    return {
        "X_train": X_train,
        "Y_train": Y_train,
        "X_validation": X_validation,
        "Y_validation": Y_validation,
    }


def network_of(dropout=0.0):
    rng = random_stream(0, "weights")
    weights = initial_weights(N_IN, N_CLASSES, [16], "random_normal", rng)
    return build(weights, "relu", dropout)


def new_history():
    return {"loss": [], "val_loss": [], "val_accuracy": []}


def assert_equal(arrays, others):
    """Two dicts of arrays are bitwise the same."""
    assert arrays.keys() == others.keys()
    for name in arrays:
        assert np.array_equal(arrays[name], others[name]), name


@pytest.fixture
def segment(tmp_path):
    """A function which trains to `epochs` from `start`, a segment before; returns its two files."""
    data = {}
    for name, array in dataset(n_train=20, n_validation=6).items():
        data[name] = tmp_path / f"{name}.npy"
        np.save(data[name], array)

    def run(name, epochs, start=(), **settings):
        files = [tmp_path / f"{name}.npz", tmp_path / f"{name}.json"]
        run_segment(data, settings_of(**settings), epochs, start, *files)
        return files

    return run


# An epoch


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples():
    # Batches of 3, 3 and 1 samples. With a learning rate of 0 the network stays as it is, so each
    # batch can be asked for its loss beforehand.
    network = network_of()
    for _, parameter, _ in network.parameters():
        parameter *= 100  # weights of size 1, so that the losses differ
    batches = [
        (X.copy(), Y.copy()) for X, Y in generate_batches(*samples(7), 3, np.random.default_rng(0))
    ]
    a, b, c = (softmax_crossentropy(network.forward(X), Y)[0] for X, Y in batches)
    assert train_epoch(network, SGD(learning_rate=0.0), batches) == (3 * a + 3 * b + 1 * c) / 7


def test_an_epoch_takes_a_step_for_each_batch():
    X, Y = samples(6)
    by_hand, trained = network_of(), network_of()
    for part in (np.s_[:, :4], np.s_[:, 4:]):
        by_hand.backward(softmax_crossentropy(by_hand.forward(X[part]), Y[part])[1])
        for _, parameter, gradient in by_hand.parameters():
            parameter -= 0.3 * gradient
    train_epoch(trained, SGD(0.3), [(X[:, :4], Y[:, :4]), (X[:, 4:], Y[:, 4:])])
    assert_equal(trained.weights(), by_hand.weights())


def test_each_epoch_has_the_order_of_its_seed_and_number():
    data = dataset(n_train=20)
    trained, by_hand = network_of(), network_of()
    train(trained, SGD(0.3), new_history(), data, batch_size=8, seed=4, epochs=3)
    for epoch in (1, 2, 3):
        rng = random_stream(4, "shuffling", epoch)
        train_epoch(by_hand, SGD(0.3), generate_batches(data["X_train"], data["Y_train"], 8, rng))
    assert_equal(trained.weights(), by_hand.weights())


def test_each_epoch_drops_what_its_seed_and_number_say():
    data = dataset(n_train=20)
    trained, by_hand = network_of(dropout=0.4), network_of(dropout=0.4)
    train(trained, SGD(0.3), new_history(), data, batch_size=20, seed=4, epochs=2)
    for epoch in (1, 2):
        rng = random_stream(4, "shuffling", epoch)
        batches = generate_batches(data["X_train"], data["Y_train"], 20, rng)
        train_epoch(by_hand, SGD(0.3), batches, random_stream(4, "dropout", epoch))
    assert_equal(trained.weights(), by_hand.weights())


@pytest.mark.parametrize("momentum, learning_rate", [(0.0, 1.0), (0.9, 0.3)])
def test_twenty_samples_can_be_learned_by_heart(momentum, learning_rate):
    history = new_history()
    optimizer = SGD(learning_rate, momentum)
    train(network_of(), optimizer, history, dataset(20), batch_size=20, seed=0, epochs=1000)
    assert history["loss"][-1] < 0.01


# Divergence


@pytest.mark.parametrize(
    "batch_size, epoch, batch",
    [pytest.param(8, 1, 2, id="in an epoch"), pytest.param(20, 2, 1, id="between epochs")],
)
def test_divergence_is_told_with_epoch_batch_and_learning_rate(batch_size, epoch, batch):
    message = rf"epoch {epoch} of 5: .* at batch {batch}, with a learning rate of 1e\+30\."
    with pytest.raises(DivergenceError, match=message):
        train(network_of(), SGD(1e30), new_history(), dataset(20), batch_size, seed=0, epochs=5)


def test_a_diverged_segment_leaves_the_files_as_they_were(tmp_path, segment):
    start = segment("short", epochs=1)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DivergenceError):
        segment("long", epochs=3, start=start, learning_rate=1e39)  # infinite in float32
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_divergence_is_told_with_the_learning_rate_of_the_moment():
    optimizer = SGD(lambda steps: 0.3 if steps < 3 else 1e30)  # from the second epoch on
    message = r"epoch 2 of 5: .* at batch 2, with a learning rate of 1e\+30\."
    with pytest.raises(DivergenceError, match=message):
        train(network_of(), optimizer, new_history(), dataset(20), batch_size=8, seed=0, epochs=5)


def test_a_validation_loss_that_is_no_number_is_divergence():
    data = dataset(20, n_validation=6)
    data["X_validation"][:] = np.inf
    message = r"epoch 1 of 5: the validation loss is (nan|inf) at its end"
    with pytest.raises(DivergenceError, match=message):
        train(network_of(), SGD(0.3), new_history(), data, batch_size=8, seed=0, epochs=5)


def test_a_last_step_that_ruins_the_weights_is_divergence():
    """Its loss is never computed, so the weights themselves have to tell."""
    rng = np.random.default_rng(0)
    X, Y = rng.random((3, 20), np.float32), np.eye(2, dtype=np.float32)[:, np.arange(20) % 2]
    network = build(initial_weights(3, 2, [], "random_normal", rng), None)
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(DivergenceError, match="weights"),
    ):
        train_epoch(network, SGD(1e39), [(X, Y)])


# Validation


def test_without_validation_samples_there_is_no_validation_history():
    history = new_history()
    train(network_of(), SGD(0.3), history, dataset(20), batch_size=8, seed=0, epochs=3)
    assert (len(history["loss"]), history["val_loss"], history["val_accuracy"]) == (3, [], [])


def test_validation_is_of_the_network_after_each_epoch():
    data, history = dataset(20, n_validation=6), new_history()
    network = network_of(dropout=0.4)  # which is for training only
    X, Y = data["X_validation"], data["Y_validation"]
    expected = []
    for epochs in (1, 2, 3):
        train(network, SGD(0.3), history, data, batch_size=8, seed=0, epochs=epochs)
        Z = network.forward(X)
        expected.append((softmax_crossentropy(Z, Y)[0], np.mean(Z.argmax(0) == Y.argmax(0))))
    assert list(zip(history["val_loss"], history["val_accuracy"], strict=True)) == expected


@pytest.mark.parametrize("patience", [None, 9])
def test_validation_samples_teach_nothing(patience):
    weights, losses = [], []
    for data in (dataset(20), dataset(20, 6), dataset(20, 6, seed=2)):
        network, history = network_of(dropout=0.4), new_history()
        stop = patience if data["X_validation"].size else None
        train(network, SGD(0.3, 0.9), history, data, 8, seed=0, epochs=3, patience=stop)
        weights.append(network.weights())
        losses.append(history["loss"])
    assert_equal(weights[1], weights[0])
    assert_equal(weights[2], weights[0])
    assert losses[0] == losses[1] == losses[2]


def test_training_is_given_no_test_samples():
    assert training.ARRAYS == ("X_train", "Y_train", "X_validation", "Y_validation")


def test_accuracy_is_the_share_of_largest_logits_at_the_label():
    Z = np.array([[3.0, 0.1, -5.0, 0.0], [1.0, 0.2, -7.0, 9.0], [2.0, 0.3, -6.0, 1.0]])
    assert accuracy(Z, one_hot([0, 1, 0, 1], 3)) == 0.75


def test_logits_of_many_samples_are_those_of_one_pass():
    network = network_of()
    X, _ = samples(2 * SLICE + 3)
    np.testing.assert_allclose(logits(network, X), network.forward(X), rtol=1e-5)


# Segments


WAYS = {
    "sgd": {},
    "softmax": {"hidden": []},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "weight decay": {"weight_decay": 0.1},
    "adam": {"optimizer": "adam", "learning_rate": 0.02},
    "step": {"schedule": "step", "decay_epochs": 3, "decay_rate": 0.5},
    "cosine": {"schedule": "cosine", "decay_epochs": 5, "decay_rate": 0.0},
    "dropout": {"dropout": 0.4},
    "sigmoid": {"activation": "sigmoid"},
    "tanh": {"activation": "tanh"},
    "glorot": {"initializer": "glorot_uniform"},
    "deep": {"hidden": [7, 5], "initializer": "he_uniform"},
    "much of sgd": {
        **{"momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "dropout": 0.4},
        **{"schedule": "step", "decay_epochs": 2, "decay_rate": 0.5, "patience": 3},
    },
    "much of adam": {
        **{"optimizer": "adam", "learning_rate": 0.02, "weight_decay": 0.1, "dropout": 0.4},
        **{"schedule": "cosine", "decay_epochs": 5, "decay_rate": 0.1, "patience": 3},
    },
}


def chain(segment, ends, **settings):
    """The files of a run that is trained to each of the epochs `ends`, one after the other."""
    files = ()
    for epochs in ends:
        files = segment(f"chain-{epochs}", epochs, files, **settings)
    return files


@pytest.mark.parametrize("ends", [(2, 6), (3, 6), (1, 2, 3, 4, 5, 6)], ids=str)
@pytest.mark.parametrize("settings", WAYS.values(), ids=WAYS)
def test_a_run_in_segments_ends_with_the_same_bytes(segment, settings, ends):
    whole, _ = segment("whole", 6, **settings)
    resumed, _ = chain(segment, ends, **settings)
    assert resumed.read_bytes() == whole.read_bytes()


def test_each_way_is_a_way_of_its_own_in_every_epoch(segment):
    """Otherwise two equal runs would prove nothing."""
    weights = [
        load_checkpoint(segment("any", epochs, **settings)[0]).network["0.W"].tobytes()
        for settings in WAYS.values()
        for epochs in (4, 5)
    ]
    assert len(set(weights)) == 2 * len(WAYS)


VELOCITIES = {"velocity.0.W", "velocity.1.W"}
MOMENTS = {"m.0.W", "m.1.W", "v.0.W", "v.1.W"}


@pytest.mark.parametrize(
    ("way", "kept"),
    [("sgd", set()), ("momentum", VELOCITIES), ("nesterov", VELOCITIES), ("adam", MOMENTS)],
)
def test_a_segment_keeps_the_steps_and_the_state_of_its_optimizer(segment, way, kept):
    state = load_checkpoint(segment("any", 2, **WAYS[way])[0]).optimizer
    assert state.keys() == {"iterations"} | kept
    assert state["iterations"] == 2 * 3  # 20 samples in batches of 8


def test_a_segment_leaves_its_start_alone(segment):
    start = segment("start", 2, momentum=0.9)
    before = [path.read_bytes() for path in start]
    segment("resumed", 6, start, momentum=0.9)
    assert [path.read_bytes() for path in start] == before


@pytest.mark.parametrize(
    "setting",
    [{"seed": 5}, {"batch_size": 7}, {"learning_rate": 0.2}, {"initializer": "he_uniform"}],
    ids=str,
)
def test_a_segment_heeds_its_settings(segment, setting):
    checkpoint, _ = segment("as it is", 1)
    other, _ = segment("changed", 1, **setting)
    weights, others = load_checkpoint(checkpoint).network, load_checkpoint(other).network
    assert not np.array_equal(weights["0.W"], others["0.W"])


def test_a_segment_builds_the_network_of_its_settings(segment):
    checkpoint, _ = segment("any", 1)
    shapes = {name: array.shape for name, array in load_checkpoint(checkpoint).network.items()}
    assert shapes == {"0.W": (5, N_IN + 1), "1.W": (N_CLASSES, 5 + 1)}


def test_the_seconds_of_segments_add_up(segment):
    checkpoint, record = segment("start", 1)
    write_json(record, read_json(record) | {"seconds": 1000.0})
    _, resumed = segment("resumed", 2, [checkpoint, record])
    assert 1000 < read_json(resumed)["seconds"] < 1600


# The optimizer and its learning rate


def test_sgd_gets_its_settings():
    settings = settings_of(momentum=0.9, nesterov=True, weight_decay=0.1)
    optimizer = make_optimizer(settings, steps_per_epoch=3)
    assert type(optimizer) is SGD
    assert (optimizer.learning_rate, optimizer.weight_decay) == (0.3, 0.1)
    assert (optimizer.momentum, optimizer.nesterov) == (0.9, True)


def test_without_momentum_nesterov_is_not_asked_for():
    optimizer = make_optimizer(settings_of(nesterov=True), steps_per_epoch=3)
    assert (optimizer.momentum, optimizer.nesterov) == (0.0, False)


def test_adam_gets_its_settings():
    optimizer = make_optimizer(settings_of(optimizer="adam", weight_decay=0.1), steps_per_epoch=3)
    assert type(optimizer) is Adam
    assert (optimizer.learning_rate, optimizer.weight_decay) == (0.3, 0.1)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(
    ("schedule", "decay_rate", "rates"),
    [
        ("step", 0.1, {0: 0.3, 5: 0.3, 6: 0.03, 11: 0.03, 12: 0.003}),
        # Half a cosine: after a third of the way a quarter has fallen, after a half, a half.
        ("cosine", 0.0, {0: 0.3, 2: 0.225, 3: 0.15, 6: 0.0, 60: 0.0}),
        ("cosine", 0.1, {0: 0.3, 2: 0.2325, 3: 0.165, 6: 0.03, 60: 0.03}),
    ],
)
def test_a_schedule_goes_by_steps(optimizer, schedule, decay_rate, rates):
    settings = settings_of(
        optimizer=optimizer, schedule=schedule, decay_epochs=2, decay_rate=decay_rate
    )
    rate = make_optimizer(settings, steps_per_epoch=3).learning_rate
    assert [rate(steps) for steps in rates] == pytest.approx([*rates.values()])


@pytest.mark.parametrize(("batch_size", "steps"), [(8, 3), (10, 2), (20, 1), (50, 1)])
def test_a_last_short_batch_is_a_step_of_an_epoch(segment, monkeypatch, batch_size, steps):
    """Of twenty images."""
    asked = []

    def note(settings, steps_per_epoch):
        asked.append(steps_per_epoch)
        return make_optimizer(settings, steps_per_epoch)

    monkeypatch.setattr(training, "make_optimizer", note)
    checkpoint, _ = segment("any", 2, batch_size=batch_size)
    assert asked == [steps]
    assert load_checkpoint(checkpoint).optimizer["iterations"] == 2 * steps


def test_with_nothing_left_of_the_learning_rate_further_epochs_change_nothing(segment):
    fallen = {"schedule": "step", "decay_epochs": 1, "decay_rate": 0.0}
    plain, one, three = (
        load_checkpoint(segment("any", epochs, **settings)[0]).network
        for epochs, settings in ((1, {}), (1, fallen), (3, fallen))
    )
    assert_equal(one, plain)
    assert_equal(three, one)


# Early stopping


@pytest.fixture
def validated(monkeypatch):
    """A function that trains for at most 9 epochs, whose validation losses it is given.

    It does so in one call or in calls of one epoch each, and returns the history, the best weights,
    and those after each epoch.
    """

    def run(losses, patience, one_by_one):
        network, optimizer, history = network_of(), SGD(0.3, 0.9), new_history()
        best, after = {}, []

        def validate(network, data):
            after.append(network.weights())
            return {"val_loss": losses[len(after) - 1], "val_accuracy": 0.5}

        monkeypatch.setattr(training, "_validate", validate)
        for epochs in range(1, 10) if one_by_one else [9]:
            best = train(
                *(network, optimizer, history, dataset(20, 6), 8),
                **{"seed": 0, "epochs": epochs, "patience": patience, "best": best},
            )
        return history, best, after

    return run


@pytest.mark.parametrize("one_by_one", [False, True], ids=["in one go", "epoch by epoch"])
@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        pytest.param([9, 8, 7, 6, 5, 4, 3, 2, 1], 1, 9, 9, id="ever lower"),
        pytest.param([5, 6, 1], 1, 2, 1, id="one epoch higher"),
        pytest.param([5, 6, 7, 8, 1], 3, 4, 1, id="lower when it is too late"),
        pytest.param([5, 6, 7, 4, 5, 6, 7, 1], 3, 7, 4, id="lower just in time"),
        pytest.param([5, 4, 6, 3, 6, 4, 1], 2, 6, 4, id="a low that is not the lowest"),
        pytest.param([3, 3, 3, 1], 2, 3, 1, id="all equal"),
        pytest.param([5, 2, 3, 2, 1], 2, 4, 2, id="the lowest again"),
        pytest.param([5, 2, 3, 4, 5, 6, 7, 8, 9], 9, 9, 2, id="more patience than epochs"),
    ],
)
def test_training_stops_by_the_lowest_validation_loss(
    validated, losses, patience, epochs, best, one_by_one
):
    history, kept, after = validated(losses, patience, one_by_one)
    assert history["val_loss"] == losses[:epochs]
    assert len(history["loss"]) == len(after) == epochs
    assert_equal(kept, after[best - 1])
    assert not any(np.array_equal(a["0.W"], b["0.W"]) for a, b in pairwise(after))


def test_without_patience_nothing_stops_and_nothing_is_kept(validated):
    history, kept, _ = validated([1, 2, 3, 4, 5, 6, 7, 8, 9], None, False)
    assert (len(history["loss"]), kept) == (9, {})


def test_an_early_stop_is_logged_with_its_best_epoch(validated, caplog):
    with caplog.at_level("INFO"):
        validated([5, 4, 6, 7], 2, False)
    assert caplog.messages[-1] == "stopped early: epoch 2 has the lowest validation loss"


def overfitting(patience=4):
    """Settings of Adam at a pace that overfits twenty random pictures at once."""
    return {"optimizer": "adam", "learning_rate": 0.05, "patience": patience}


@pytest.fixture
def stopped(segment):
    """A run that stopped early: its files, its best epoch and its last."""
    files = segment("stopped", 60, **overfitting())
    losses = load_checkpoint(files[0]).history["val_loss"]
    best = losses.index(min(losses)) + 1
    assert 2 < best < len(losses) < 60
    return files, best, len(losses)


@pytest.mark.parametrize("patience", [1, 4, 10])
def test_training_stops_after_as_many_epochs_as_it_has_patience(segment, patience):
    losses = load_checkpoint(segment("any", 60, **overfitting(patience))[0]).history["val_loss"]
    assert len(losses) == losses.index(min(losses)) + 1 + patience < 60


def test_the_weights_of_the_best_epoch_are_kept(segment, stopped):
    (checkpoint, _), best, _ = stopped
    state = load_checkpoint(checkpoint)
    until = load_checkpoint(segment("until then", best, **overfitting(patience=None))[0])
    assert_equal(state.best, until.network)
    assert not np.array_equal(state.network["0.W"], state.best["0.W"])


def test_a_stopped_run_has_the_weights_and_history_that_it_would_have_anyway(segment, stopped):
    (checkpoint, _), _, last = stopped
    state = load_checkpoint(checkpoint)
    patient = load_checkpoint(segment("patient", last, **overfitting(patience=None))[0])
    assert_equal(state.network, patient.network)
    assert_equal(state.optimizer, patient.optimizer)
    assert state.history == patient.history
    assert patient.best == {}


@pytest.mark.parametrize(
    "place", ["best - 1", "best", "best + 1", "last - 1", "last", "last + 1", "1, 2, 3"]
)
def test_a_chain_stops_where_one_segment_does(segment, stopped, place):
    (whole, _), best, last = stopped
    ends = (1, 2, 3) if "," in place else (dict(best=best, last=last)[place[:4]] + offset(place),)
    resumed, record = chain(segment, [*ends, 60], **overfitting())
    assert resumed.read_bytes() == whole.read_bytes()
    assert read_json(record)["epochs"] == last


def offset(place):
    return int(place[4:].replace(" ", "") or 0)


def test_segments_after_the_stop_do_nothing(segment, stopped):
    files, _, last = stopped
    for epochs in (61, 90):
        further = segment(f"further-{epochs}", epochs, files, **overfitting())
        assert further[0].read_bytes() == files[0].read_bytes()
        assert read_json(further[1])["epochs"] == last
        files = further


def test_of_equal_validation_losses_the_first_epoch_is_the_best():
    assert best_epoch({"val_loss": [0.3, 0.2, 0.5, 0.2]}) == 2
