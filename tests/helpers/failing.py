"""A stage that fails on purpose."""

from expected import COMPARISON, FOLLOWING, ON_REQUEST, SEARCH


def fail_and_repeat(project, stage, times=1):
    """Let a stage fail some times, then succeed: it is planned until then, and nothing after.

    The plan after a failure has no stages besides those that follow.
    """
    script = project.folder / "workflow/scripts" / f"{stage}.py"
    source = script.read_text()
    # The marker decides whether to fail; it is not part of the code, nor of the fingerprint.
    marker = project.folder / "fail"
    marker.touch()
    script.write_text(
        f"from pathlib import Path\n\nif Path({str(marker)!r}).exists():\n"
        f'    raise SystemExit("broken on purpose")\n\n{source}'
    )
    targets = [ON_REQUEST[stage]] if stage in ON_REQUEST else []
    following = FOLLOWING.get(stage, set()) | ({*ON_REQUEST} if targets else {stage})
    following |= SEARCH if stage in SEARCH else COMPARISON
    for _ in range(times):
        process = project.snakemake(*targets)
        assert process.returncode == 1
        assert "broken on purpose" in process.stdout + process.stderr
        plan = project.plan(*targets)
        assert plan[stage] == (2 if stage == "rank_rung" else 1)  # the search has two rungs
        assert set(plan) <= following
    marker.unlink()
    project.run(*targets)
    assert project.plan(*targets) == {}
