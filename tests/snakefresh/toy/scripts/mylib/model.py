"""The model."""


def fit(points, degree):
    """The moments of the points, up to this degree."""
    return [moment(points, power) for power in range(degree + 1)]


def moment(points, power):
    return round(sum(y * x**power for x, y in points) / len(points), 6)
