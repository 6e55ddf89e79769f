"""`make run` installs what requirements/ pins by hash, and runs no other code meanwhile.

This needs a package index.
"""

import os
import shutil
import subprocess
import sys

from project import CHECKOUT


def test_no_package_is_built_with_tools_that_are_not_pinned(tmp_path):
    """To build a package in isolation, pip fetches its build tools without looking at hashes."""
    set_up = tmp_path / "workflow/tools/set_up.py"
    set_up.parent.mkdir(parents=True)
    shutil.copy(CHECKOUT / "workflow/tools/set_up.py", set_up)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    shutil.copytree(CHECKOUT / "requirements", tmp_path / "requirements")
    log = tmp_path / "pip.log"
    process = subprocess.run(
        [sys.executable, set_up],
        env=os.environ | {"PIP_LOG": str(log), "PIP_NO_CACHE_DIR": "1"},  # it may have been built
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    builds = [line for line in log.read_text().splitlines() if "build" in line.lower()]
    assert any("Building wheel for connection_pool" in line for line in builds)
    assert not [line for line in builds if "build dependencies" in line]
