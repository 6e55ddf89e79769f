"""A neural network from scratch in NumPy, and the steps of the pipeline around it.

The network: `layers`, `losses`, `optimizers`, `network`, `batches`, `streams`.
The steps: `datasets`, `preprocessing`, `training`, `metrics`, `plots`.
What makes them a pipeline: `config`, `pipeline`, and `fingerprint`, which decides what is stale.

Nothing is imported here, so that each stage loads only what it uses.
"""
