"""Many runs, and dry runs, one after the other: nothing grows, and none takes longer."""

import os
import time

from scratchnet.opening import KEPT_LOGS

RUNS = int(os.environ.get("RUNS", "3"))


def sizes(project):
    """{path: size}, and of results the time of the last change, but no logs of Snakemake."""
    return {
        path: (known.st_size, known.st_mtime_ns if path.is_relative_to(project.results) else None)
        for folder in (project.results, project.folder / ".snakemake")
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "log"
        for known in [path.stat()]
    }


def test_nothing_grows_but_a_bounded_number_of_logs(project):
    logs = project.folder / ".snakemake/log"
    project.run()
    before, n_logs, seconds = sizes(project), len(list(logs.iterdir())), []
    for _ in range(RUNS):
        started = time.monotonic()
        assert "Nothing to be done" in project.run("--dry-run")
        assert "Nothing to be done" in project.run()
        seconds.append(time.monotonic() - started)
    assert sizes(project) == before
    assert len(list(logs.iterdir())) == min(n_logs + RUNS, KEPT_LOGS)
    third = -(-RUNS // 3)
    print([round(min(part), 2) for part in (seconds[:third], seconds[-third:])], "s")
    if RUNS >= 100:
        assert min(seconds[-third:]) < 1.2 * min(seconds[:third])


def test_of_more_logs_the_last_are_kept(project):
    logs = project.folder / ".snakemake/log"
    for number in range(2 * KEPT_LOGS):
        (logs / f"2001-01-01T{number:06}.000000.snakemake.log").touch()
    newest = sorted(path.name for path in logs.iterdir())[-KEPT_LOGS // 2 :]
    project.run()
    names = {path.name for path in logs.iterdir()}
    assert len(names) == KEPT_LOGS
    assert names >= {*newest}
