"""The workflow through cluster-generic, with the plain shell as the scheduler."""

import shlex
import sys
from pathlib import Path

from expected import DATA, RUN, once
from project import copy_with_small_data, planned, set_key

SCHEDULER = shlex.join([sys.executable, str(Path(__file__).with_name("shell_scheduler.py"))])
PROFILE = (
    "--profile",
    "profiles/cluster-generic",
    "--cluster-generic-submit-cmd",
    f"{SCHEDULER} submit",
    "--cluster-generic-status-cmd",
    f"{SCHEDULER} status",
    "--cluster-generic-cancel-cmd",
    f"{SCHEDULER} cancel",
)


def test_another_scheduler_makes_the_same(finished, tmp_path):
    project = copy_with_small_data(tmp_path / "project")
    assert planned(project.run(*PROFILE)) == once(DATA | RUN)
    assert len(list((project.folder / ".snakemake/shell_jobs").glob("*.code"))) == 2
    for name in ("checkpoints/epoch-0004.npz", "epoch-0004/metrics.json"):
        assert (project.run_folder / name).read_bytes() == (finished.run_folder / name).read_bytes()
    assert "Nothing to be done" in project.run(*PROFILE)


def test_a_job_that_fails_is_submitted_again(tmp_path):
    project = copy_with_small_data(tmp_path / "project")
    script = project.folder / "workflow/scripts/train.py"
    marker = project.folder / "tried"
    script.write_text(
        f"from pathlib import Path\n\ntried = Path({str(marker)!r})\nif not tried.exists():\n"
        f'    tried.touch()\n    raise SystemExit("broken once")\n\n{script.read_text()}'
    )
    output = project.run(*PROFILE)
    assert "Trying to restart" in output
    set_key(project, "training.seed", 1)
    assert project.plan(*PROFILE) == once(RUN)
