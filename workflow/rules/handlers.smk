# What happens at the start and at the end of a run, and what a person is told then: the functions of
# onstart, onsuccess and onerror. Where this workflow is a module of another, nothing of it happens.
import platform
import shutil
import threading
import time
from collections import Counter
from pathlib import Path

from snakemake.logging import logger

from scratchnet.files import read_csv
from scratchnet.summary import aligned, short_table, summarize

STARTED = time.time()


def note_host():
    """Leave the name of this machine, for `make run` to know whose lock it finds after a kill."""
    Path(".snakemake/host").write_text(platform.node())


def make_room_for_live_lines():
    """Let what Snakemake says take the place of a job's live line, instead of mixing with it."""
    from scratchnet.terminal import AroundLiveLines

    for handler in logger.handlers:
        if getattr(handler, "is_tty", False):
            handler.stream = AroundLiveLines(handler.stream)


def end_timers():
    """Let Snakemake end at once: it would wait up to a second for the timer of its rate limit.

    Called when no job is left to start.
    """
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def everything_was_asked_for():
    """Whether Snakemake was called without targets of one's own."""
    return set(workflow.dag_settings.targets) <= {"all", "plots"}


def show_results():
    """Say what came out and where it lies, if all of it is there and was asked for."""
    points = Path("results/sweeps", SWEEP, "points.csv")
    together = {"summarize": {}} | ({"compare": {"sweep": SWEEP}} if SWEPT else {})
    if not everything_was_asked_for() or not all(
        track.is_current(stage, wildcards) for stage, wildcards in together.items()
    ):
        return
    partial_summary().unlink(missing_ok=True)
    by_point = SWEPT and len(read_csv(points)) < len(ROWS)
    print("", *aligned(short_table(points if by_point else SUMMARY)), "", sep="\n")
    for row in read_csv(SUMMARY):
        if row["best"]:
            print(f"The best run by validation accuracy: {row['folder']}")
    others = [job for job in workflow.dag.jobs if not workflow.dag.needrun(job)]
    print("Ran:   ", in_words(workflow.dag.finished_jobs))
    print("Reused:", in_words(job for job in others if is_result(job)))
    print(f"To read: {SUMMARY}; the pictures in {points.parent if SWEPT else 'the folder'}")
    print("To browse: snakemake --report results/report.html")
    print("To draw on: snakemake --cores 1 demo")


def is_result(job):
    """Whether a job is a stage whose result is current."""
    name = job.rule.name
    return name in pipeline.STAGES and track.is_current(name, dict(job.wildcards.items()))


def in_words(jobs):
    """Which rules `jobs` are of, and how many: train, 2 evaluate."""
    counts = Counter(job.rule.name for job in jobs if job.output)
    order = [stage.name for stage in workflow.rules]
    names = sorted(counts, key=order.index)
    return ", ".join(f"{counts[n]} {n}" if counts[n] > 1 else n for n in names) or "nothing"


def show_full_disks():
    """Say so where a full disk may be what made something fail: Snakemake does not say which."""
    for folder in ("results", ".snakemake"):
        if Path(folder).exists() and shutil.disk_usage(folder).free < 1_000_000:
            print(f"\nThe disk of {folder}/ is full: make room, and give the command again.")


def partial_summary():
    """Where the summary of a sweep lies that is not done, or failed in part."""
    return Path("results/sweeps", SWEEP, "partial_summary.csv")


def show_failures():
    """After a failure: a table of all runs, which says what became of those that are not done.

    Only where there are several and all were asked for.
    """
    if len(ROWS) == 1 or not everything_was_asked_for():
        return
    partial = [
        row if track.is_current("evaluate", result) else row | {"error": error_of(place)}
        for row, place in zip(ROWS, PLACES)
        for result in [{"run": place["run"], "epoch": place["epoch"]}]
    ]
    failed = [row for row in partial if "error" in row]
    if not failed:
        return
    table = partial_summary()
    summarize(partial, table)
    print(f"\n{len(ROWS) - len(failed)} of {len(ROWS)} runs are done; {table} has them all.")
    for row in failed[:10]:
        print(f"  {row['folder']}: {row['error']}")
    if len(failed) > 10:
        print(f"  and {len(failed) - 10} more")


def error_of(place):
    """What the stages of a run wrote last into a log since this call of Snakemake began."""
    patterns = ["download/{dataset}", "preprocess/{data}", "train/{run}/*", "evaluate/{run}/*"]
    for pattern in reversed(patterns):
        for log in sorted(Path("results/logs").glob(pattern.format(**place) + ".log")):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            if log.stat().st_mtime >= STARTED and lines and "Error: " in lines[-1]:
                return lines[-1].partition("Error: ")[2]
    return "not done"
