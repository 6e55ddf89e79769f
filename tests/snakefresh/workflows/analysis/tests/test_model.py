import csv
import unittest

from model import linear_model

RESULTS = None


class ModelTest(unittest.TestCase):
    def test_x0_is_the_value_at_zero(self):
        self.assertEqual(linear_model(slope=2, x0=7, x=0), 7)

    def test_there_are_results_from_zero_to_one(self):
        with open(RESULTS, newline="") as file:
            xs = [float(row["x"]) for row in csv.DictReader(file)]
        self.assertEqual((min(xs), max(xs)), (0, 1))
