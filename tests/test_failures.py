"""A stage that fails is never taken for done, however often the command is given."""

import pytest

from test_staleness import SCRIPTS, once

STAGES = sorted(SCRIPTS)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_failed_runs_again_until_it_succeeds(project, stage):
    script = project.folder / "workflow/scripts" / f"{stage}.py"
    source = script.read_text()
    # The marker says whether to fail; it is no part of the key, so each try has the same key.
    marker = project.folder / "fail"
    marker.touch()
    script.write_text(
        f"from pathlib import Path\n\nif Path({str(marker)!r}).exists():\n"
        f'    raise SystemExit("broken on purpose")\n\n{source}'
    )
    for _ in range(2):
        process = project.snakemake("--keep-going")
        assert process.returncode == 1
        assert "broken on purpose" in process.stdout + process.stderr
        plan = project.plan()
        assert plan[stage] == 1
        assert set(plan) <= SCRIPTS[stage]
    marker.unlink()
    project.run()
    assert project.plan() == {}


def test_a_failure_after_an_edit_leaves_no_old_picture_that_looks_current(project):
    """Plain Snakemake says "Nothing to be done" here, for the picture as for everything."""
    picture = project.run_folder.relative_to(project.folder) / "epoch-0004/loss.png"
    losses = project.folder / "workflow/scripts/scratchnet/losses.py"
    source = losses.read_text()
    losses.write_text(source + "\nraise OSError('broken on purpose')\n")
    assert project.snakemake().returncode == 1
    assert project.plan(picture) == once({"train", "evaluate", "plot_loss"})
    losses.write_text(source)
    project.run(picture)
    assert project.plan(picture) == {}
