"""What decides the last bits of a result, besides settings and code."""

import platform
import sys

import numpy as np
from threadpoolctl import threadpool_info


def environment():
    """Versions and the linear algebra library's choices, as {name: value}."""
    blas = next((pool for pool in threadpool_info() if pool["user_api"] == "blas"), {})
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{sys.platform} {platform.machine()}",
        "blas": f"{blas.get('internal_api')} {blas.get('version')}",
        "blas_kernel": blas.get("architecture"),
        "blas_threads": blas.get("num_threads"),
    }
