"""Stages that follow training, each in a process of its own, and the memory that it takes."""

from samples import peak_of_process

# Each line of PROGRAMS is run by a process of its own: `files` is the folder.
START = "import sys, pathlib; files = pathlib.Path(sys.argv[1]); "
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
        "from scratchnet.predict.predictions import predict; "
        "network = {name: files / f'{name}.json' for name in ('manifest', 'metrics')}; "
        "network |= {'X_test': files / 'X_test.npy', 'checkpoint': files / 'checkpoint.npz'}; "
        "predict([files / 'own.npy'], 'auto', network, {}, 'relu', files / 'own.csv', "
        "files / 'contact_sheet.json')"
    ),
    "plot_contact_sheet": (
        "from scratchnet.evaluation.plots import plot_contact_sheet; "
        "plot_contact_sheet(files / 'contact_sheet.json', files / 'c.png', 'default')"
    ),
    "make_demo": (
        "from scratchnet.predict.demo import make_demo; "
        "make_demo(files / 'checkpoint.npz', files / 'manifest.json', files / 'metrics.json', "
        "files / 'X_test.npy', files / 'Y_test.npy', 'relu', 'title', files / 'demo.html')"
    ),
}


def run(name, folder):
    """Run a program of PROGRAMS in `folder`, and return its peak memory in MB."""
    return peak_of_process(START + PROGRAMS[name], folder)
