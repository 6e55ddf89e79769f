"""Snakemake's storage plugins are refused in one sentence, until they are supported.

This needs a package index.
"""

import subprocess
import sys

from project import copy_with_small_data


def test_a_storage_plugin_is_refused_at_the_start(tmp_path):
    plugin = tmp_path / "plugin"
    options = ["--quiet", "--no-deps", "--target", plugin]
    packages = ["snakemake-storage-plugin-fs==1.1.3", "sysrsync==1.1.1", "toml==0.10.2"]
    command = [sys.executable, "-m", "pip", "install", *options, *packages]
    subprocess.run(command, check=True)
    project = copy_with_small_data(tmp_path / "a project")
    options = ["--default-storage-provider", "fs", "--default-storage-prefix", "store"]
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *options]
    process = subprocess.run(
        command,
        cwd=project.folder,
        env={"PYTHONPATH": str(plugin), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert "leave out --default-storage-provider (docs/cluster.md)" in output
    assert "Traceback" not in output
    assert not project.results.exists()
