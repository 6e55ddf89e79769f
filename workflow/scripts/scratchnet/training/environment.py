"""The environment, which decides the last bits of a result besides settings and code."""

import platform
import sys

import numpy as np
from threadpoolctl import threadpool_info


def describe_environment():
    """Return the versions of Python and NumPy, and of the linear algebra library, by name."""
    blas = next((pool for pool in threadpool_info() if pool["user_api"] == "blas"), {})
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{sys.platform} {platform.machine()}",
        "blas": f"{blas.get('internal_api')} {blas.get('version')}",
        "blas_kernel": blas.get("architecture"),
        "blas_threads": blas.get("num_threads"),
    }
