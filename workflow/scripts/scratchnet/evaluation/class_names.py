"""How many classes are shown."""

MAX_CLASSES = 100  # up to which all classes are drawn, and all pairs of them are listed
