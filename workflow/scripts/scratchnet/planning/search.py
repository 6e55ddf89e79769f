"""A random search with successive halving: its trials, and its rungs.

All trials are trained to the first rung, a number of epochs; the best of them go on to the second,
and so on. A trial is a run like any other, and a rung one of its checkpoints.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scratchnet.files import read_csv
from scratchnet.planning.stage_settings import short_hash

# Of what is drawn, or more if the bounds are close together. With all digits, the last one would
# depend on the machine.
SIGNIFICANT_DIGITS = 4


@dataclass(frozen=True)
class Search:
    """A search, for the stages that rank its trials.

    `rungs` has the epochs of each rung and the share of its trials that goes on; from the last one,
    null, the winner alone. `trials` has the number, the run and the searched values of each trial.
    `axes` has for each searched setting how its values lie on an axis: choice, uniform or
    log_uniform. `name` is the folder of the rankings, e.g. learning_rate-hidden-1a2b3c4d.
    """

    trials: list[Mapping]
    rungs: list[tuple]
    axes: Mapping[str, str]

    @property
    def name(self):
        names = [key.rsplit(".", 1)[-1] for key in self.axes]
        return "-".join([*names, short_hash([self.trials, self.rungs])])

    @property
    def epochs(self):
        return [epochs for epochs, _ in self.rungs]

    @property
    def wildcards(self):
        """Those of the ranking of each rung; the first is rung 1."""
        return [{"search": self.name, "rung": str(i)} for i, _ in enumerate(self.rungs, start=1)]


def make_search(section: Mapping, rows: list) -> Search:
    """Return the Search of a complete `search` section of a configuration.

    `rows` has the run and the searched values ("swept") of each trial, in the order of the trials.
    """
    *others, last = section["epochs"]
    return Search(
        [
            {"trial": i, "run": row["run"], "values": row["swept"]}
            for i, row in enumerate(rows, start=1)
        ],
        [*((epochs, section["keep"]) for epochs in others), (last, None)],
        {key: next(iter(section["space"][key])) for key in sorted(section["space"])},
    )


def draw_trials(section: Mapping, whole_numbers: set) -> list[dict]:
    """Return the searched values of each trial, {dotted key: value}.

    A value depends on the seed, the number of the trial, its key and what it is drawn from, and on
    nothing else: more trials or more keys leave it as it is. The settings in `whole_numbers` have
    no fraction.
    """
    return [
        {
            key: _draw(
                random.Random(f"{section['seed']} {trial} {key}").random(),
                *distribution.items(),
                whole=key in whole_numbers,
            )
            for key, distribution in section["space"].items()
        }
        for trial in range(1, section["trials"] + 1)
    ]


def _draw(u, distribution, whole):
    """Return the value of a distribution, (kind, values), at `u`, with 0 <= u < 1."""
    kind, values = distribution
    if kind == "choice":
        return values[int(u * len(values))]
    low, high = values
    top = high + 1 if whole else high  # as likely as the others, once it is rounded down
    value = low ** (1 - u) * top**u if kind == "log_uniform" else low + u * (top - low)
    digits = max(SIGNIFICANT_DIGITS, 2 + math.ceil(math.log10(high / (high - low))))
    value = int(value) if whole else float(f"{value:.{digits}g}")
    return min(max(value, low), high)


def find_mistakes(section: Mapping):
    """Yield what is wrong with a `search` section that the schema allows."""
    epochs = section["epochs"]
    if epochs != sorted(set(epochs)):
        yield "search.epochs: the rungs must be in ascending order, without duplicates"
    for key, distribution in section["space"].items():
        ((kind, values),) = distribution.items()
        place = f"search.space.{key}.{kind}"
        if kind != "choice" and values[0] >= values[1]:
            yield f"{place}: the first number must be below the second"
        if kind == "log_uniform" and values[0] <= 0:
            yield f"{place}: both numbers must be above 0"


def read_promoted(ranking: str | Path) -> list[str]:
    """Return the runs that go on, the best first, of a ranking; from the last rung, the winner."""
    return [row["run"] for row in read_csv(ranking) if row["goes_on"] == "yes"]


def read_ranked(ranking: str | Path) -> list[str]:
    """Return the runs in a ranking, the best first."""
    return [row["run"] for row in read_csv(ranking)]
