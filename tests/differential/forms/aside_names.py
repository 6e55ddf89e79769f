"""Names that are defined elsewhere."""

from aside_shared import *  # noqa: F403
