"""The environment: together with settings and code, it determines a result to the last bit."""

import platform
import sys

import numpy as np
from threadpoolctl import threadpool_info


def describe_environment():
    """Return the versions of Python and NumPy, the machine, and the BLAS library, by name."""
    blas = next((pool for pool in threadpool_info() if pool["user_api"] == "blas"), {})
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{sys.platform} {platform.machine()}",
        "blas": f"{blas.get('internal_api')} {blas.get('version')}",
        "blas_kernel": blas.get("architecture"),
        "blas_threads": blas.get("num_threads"),
    }
