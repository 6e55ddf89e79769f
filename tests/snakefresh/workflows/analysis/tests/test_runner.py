"""Runs the tests of this folder; the results of the workflow are at hand for them."""

from snakefresh import recorded

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).parent


def run_tests(results, log):
    """Run all tests. Raises AssertionError if one of them fails."""
    sys.path.insert(0, str(HERE.parent / "scripts"))
    import test_model

    test_model.RESULTS = results
    tests = unittest.defaultTestLoader.loadTestsFromModule(test_model)
    with open(log, "w") as file:
        assert unittest.TextTestRunner(file).run(tests).wasSuccessful(), f"see {log}"


if __name__ == "__main__":
    with recorded(snakemake):
        run_tests(snakemake.input.results, snakemake.log[0])
        Path(snakemake.output[0]).touch()
