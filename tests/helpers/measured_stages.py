"""Stages that follow training, each in a process of its own, and the memory that it takes."""

from samples import peak_of_process

# Each line of PROGRAMS is run by a process of its own: `files` is the folder.
START = "import sys, pathlib; files = pathlib.Path(sys.argv[1]); "
NETWORK = (
    "from scratchnet.evaluation.trained_network import TrainedNetwork; "
    "network = TrainedNetwork.load(files / 'checkpoint.npz', files / 'manifest.json', "
    "files / 'metrics.json', {'model.activation': 'relu'}); "
)
PROGRAMS = {
    "evaluate": (
        "from scratchnet.evaluation.evaluation import evaluate; "
        "tables = ('history', 'predictions', 'confusion', 'calibration'); "
        "outputs = {name: files / f'{name}.csv' for name in tables}; "
        "outputs |= {name: files / f'{name}.json' for name in "
        "('metrics', 'misclassified', 'weights')}; "
        "evaluate({name: files / f'{name}.npy' for name in ('X_test', 'Y_test')}, "
        "files / 'manifest.json', files / 'checkpoint.npz', "
        "{'classes': None, 'model.activation': 'relu'}, outputs)"
    ),
    "plot_confusion": (
        "from scratchnet.evaluation.plots import plot_confusion; "
        "plot_confusion(files / 'confusion.csv', files / 'd.png', 'default')"
    ),
    "plot_misclassified": (
        "from scratchnet.evaluation.plots import plot_misclassified; "
        "plot_misclassified(files / 'misclassified.json', files / 'a.png', 'default', 5)"
    ),
    "plot_weights": (
        "from scratchnet.evaluation.plots import plot_weights; "
        "plot_weights(files / 'weights.json', files / 'b.png', 'default')"
    ),
    "predict": (
        f"from scratchnet.predict.predictions import predict; {NETWORK}"
        "predict([files / 'own.npy'], 'auto', network, files / 'X_test.npy', 'run', {}, "
        "files / 'own.csv', files / 'contact_sheet.json')"
    ),
    "plot_contact_sheet": (
        "from scratchnet.evaluation.plots import plot_contact_sheet; "
        "plot_contact_sheet(files / 'contact_sheet.json', files / 'c.png', 'default')"
    ),
    "make_demo": (
        f"from scratchnet.predict.demo import make_demo; {NETWORK}"
        "make_demo(network, files / 'X_test.npy', files / 'Y_test.npy', 'a', files / 'demo.html')"
    ),
}


def run(name, folder):
    """Run a program of PROGRAMS in `folder`, and return its peak memory in MB."""
    return peak_of_process(START + PROGRAMS[name], folder)
