"""Faults that the workflow once had, or nearly, as edits of its code: {name: [(file, text, new)]}."""

HOLES = {}
