"""Errors whose message is for the user: what is wrong, where, and what to do."""


class ScratchnetError(Exception):
    """The base of them; a stage that raises one ends with its message, without a traceback."""


class ConfigError(ScratchnetError):
    """The configuration asks for something that does not exist or is not allowed."""


class DataError(ScratchnetError):
    """A dataset cannot be had, or is not what it should be."""


class ResultsError(ScratchnetError):
    """Something stands in the way of a result."""


class DivergenceError(ScratchnetError):
    """The loss is no longer a finite number."""


class MissingPackageError(ScratchnetError):
    """A package is not installed that only some stages on request need."""


class ParityError(ScratchnetError):
    """The network here and the same one in Keras do not come to the same."""
