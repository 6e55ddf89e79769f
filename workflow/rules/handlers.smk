# What happens at the start and at the end of a run: the functions of onstart, onsuccess and onerror.
# Snakemake calls them only if this workflow is not a module of another one.
import logging
import os
import shlex
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from snakemake.logging import logger
from snakemake.shell import shell

from scratchnet.errors import ResultsError, escape, shorten_list
from scratchnet.evaluation.summary import (
    align_columns,
    describe_other_environments,
    format_summary,
    summarize,
)
from scratchnet.files import read_csv
from scratchnet.lock import lock_results

STARTED = time.time()
SWEEP_FOLDER = paths.SWEEP.format(sweep=RUNS.sweep)
SEARCH_FOLDER = paths.SEARCH.format(search=RUNS.search.name) if RUNS.search else None
PARTIAL_SUMMARY = Path(paths.PARTIAL_SUMMARY.format(sweep=RUNS.sweep))

here = ".snakemake" if Path(".snakemake").exists() else "."
if workflow.is_main_process and not os.access(here, os.W_OK):
    raise WorkflowError(
        f"Results go to the working directory, and {Path.cwd()} cannot be written: name another "
        "one with --directory"
    )

IS_OF_VERSION_1 = not Path(RESULTS, ".traces").exists() and any(
    Path(RESULTS).rglob(".*.fingerprint")
)


def lock():
    """Lock the results, for this process and for its jobs here. Those on a cluster have no lock."""
    try:
        jobs = lock_results(RESULTS)
    except ResultsError as error:
        logger.error(str(error))
        sys.exit(1)
    if jobs is not None:
        shell._process_args["pass_fds"] = [jobs]  # of subprocess.Popen


def make_room_for_live_lines():
    """Make Snakemake's messages replace the live line of a job, instead of mixing with it."""
    from scratchnet.progress import AroundLiveLines

    for handler in logger.handlers:
        if getattr(handler, "is_tty", False):
            handler.stream = AroundLiveLines(handler.stream)


def end_jobs_on_interrupt():
    """On Ctrl-C, end the jobs and print one sentence.

    Otherwise each job would print a traceback, and Snakemake several lines about it.
    """
    import psutil

    def stop(number, frame):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        logging.disable()
        show("\nStopping. The same command goes on from the last checkpoint.")
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        sys.exit(1)

    shell.prefix("set -euo pipefail; trap '' INT; ")  # jobs ignore the signal of Ctrl-C
    signal.signal(signal.SIGINT, stop)


def cancel_timers():
    """Let Snakemake end at once: it would wait up to a second for the timer of its rate limit.

    Call this when no job is left to start.
    """
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def is_whole_run():
    """Whether Snakemake was called without targets of the user's choice."""
    return set(workflow.dag_settings.targets) <= {"all", "plots"}


def show(*lines):
    """Print lines. Control characters, and those that the terminal's encoding lacks, are escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        print(escape(line, keep="\n").encode(encoding, "backslashreplace").decode(encoding))


if workflow.is_main_process and IS_OF_VERSION_1:
    show(
        f"{RESULTS}/ was made by version 1 of this workflow. If it is good as it is: make accept "
        "(or snakemake --touch). Otherwise it is made again."
    )


def show_results():
    """After a whole run, print the results and where they are, if all of them are current."""
    tables = [("summarize", {})]
    if RUNS.search:  # before the summary, which needs the winner
        tables = [*(("rank_rung", rung) for rung in all_rungs()), *tables]
    elif RUNS.swept:
        tables.append(("compare", {"sweep": RUNS.sweep}))
    if not is_whole_run() or not all(watched.is_current(*table) for table in tables):
        return
    PARTIAL_SUMMARY.unlink(missing_ok=True)
    points = f"{SWEEP_FOLDER}/points.csv" if RUNS.swept and not RUNS.search else None
    by_point = points and len(read_csv(points)) < len(RUNS.rows)
    show("", *align_columns(format_summary(points if by_point else SUMMARY)), "")
    for row in read_csv(SUMMARY):
        if row["best"]:
            show(f"The best run by validation accuracy: {row['folder']}")
    ran = {*workflow.dag.finished_jobs}
    others = [job for job in workflow.dag.jobs if job not in ran and not workflow.dag.needrun(job)]
    show(f"Ran:    {count_rules(ran)}")
    show(f"Reused: {count_rules(job for job in others if is_current_result(job))}")
    records = [paths.TRAINING_RECORD.format(**place) for place in evaluated_runs().wildcards]
    if others := describe_other_environments(records):
        show(f"Note:   {others}; here it may differ in the last digits (docs/staleness.md)")
    if RUNS.search:
        show(f"Trials: {SEARCH_FOLDER}/trials.csv has all {len(RUNS.rows)}, with plots beside it")
        settings = paths.RUN_CONFIG.format(**evaluated_runs().wildcards[0])
        show(f"Winner: {settings} has its settings, to be used as config.yaml")
    where = SWEEP_FOLDER if RUNS.swept and not RUNS.search else "the folder above"
    show(f"Table:  {SUMMARY}; plots: in {where}")
    show(f"Report: {hint('report', '--report', f'{RESULTS}/report.html')}")
    show(f"Demo:   {hint('demo', '--cores', '1', 'demo')}")


def hint(make_target, *arguments):
    """Return a command that goes on from this run: with its configuration, in its folder.

    After `make run`, which activates no environment, that is a target of make.
    """
    settings = workflow.config_settings
    words = list(arguments)
    default = Path(workflow.workdir_init, "Snakefile")
    if Path(workflow.main_snakefile) != default:
        words += ["--snakefile", workflow.main_snakefile]
    if workflow.overwrite_workdir:
        words += ["--directory", str(workflow.overwrite_workdir)]
    if settings.configfiles:
        words += ["--configfile", *map(str, settings.configfiles)]
    if settings.config_args:
        words += ["--config", *settings.config_args]
    if "RUN_BY_MAKE" in os.environ and len(words) == len(arguments):
        return f"make {make_target}"
    return shlex.join(["snakemake", *words])


def is_current_result(job):
    """Whether a job is a stage whose result is current."""
    name = job.rule.name
    return name in READS and watched.is_current(name, dict(job.wildcards.items()))


def count_rules(jobs):
    """Return the rules of `jobs` and how many jobs each has, as text: train, 2 evaluate."""
    counts = Counter(job.rule.name for job in jobs if job.output)
    order = [each.name for each in workflow.rules]
    names = sorted(counts, key=order.index)
    return ", ".join(f"{counts[n]} {n}" if counts[n] > 1 else n for n in names) or "nothing"


def show_full_disks():
    """After a failure, point out a full disk: Snakemake's message does not say which disk it is."""
    for folder in (paths.RESULTS, ".snakemake"):
        if Path(folder).exists() and shutil.disk_usage(folder).free < 1_000_000:
            show(f"\nThe disk of {folder}/ is full: make room, and run the command again.")


def show_failures():
    """After a whole sweep that failed, write and print what became of each run."""
    if not is_whole_run():
        return
    if RUNS.search:
        show_failures_of_search()
    if IS_SINGLE:
        return
    partial = [
        row if watched.is_current("evaluate", result) else row | {"error": find_error(place)}
        for row, place in zip(RUNS.rows, RUNS.wildcards)
        for result in [{"run": place["run"], "epoch": place["epoch"]}]
    ]
    failed = [row for row in partial if "error" in row]
    if not failed:
        return
    done = len(partial) - len(failed)
    show(f"\n{done} of {len(partial)} runs are complete.")
    summarize(partial, PARTIAL_SUMMARY)
    show(f"{PARTIAL_SUMMARY} lists all of them.")
    for line in shorten_list([f"{row['folder']}: {row['error']}" for row in failed], 10):
        show(f"  {line}")


def show_failures_of_search():
    """Print which trials are missing in the first rung that is not ranked, and why."""
    open_rungs = (rung for rung in all_rungs() if not watched.is_current("rank_rung", rung))
    if not (rung := next(open_rungs, None)):
        return
    found = [Path(path) for path in checkpoints_of_rung(rung)]
    trials = [{"run": path.parts[-3], "epoch": path.stem[-4:]} for path in found]
    failed = [trial for trial in trials if not watched.is_current("train", trial)]
    if failed:
        n = int(rung["rung"])
        show(f"\n{len(trials) - len(failed)} of {len(trials)} trials of rung {n} are trained.")
        places = {place["run"]: place for place in RUNS.wildcards}
        lines = [f"{each['run']}: {find_error(places[each['run']])}" for each in failed]
        for line in shorten_list(lines, 10):
            show(f"  {line}")


def find_error(place):
    """Return the last error in the logs that the stages of a run have written in this run."""
    logs = [
        paths.log("evaluate", paths.EPOCH),
        paths.log("train", paths.EPOCH),
        paths.log("preprocess", paths.DATA),
        paths.log("download", paths.DATASET),
    ]
    for pattern in logs:
        pattern = paths.relocate(pattern.format(**place | {"epoch": "*"}), RESULTS)
        for log in sorted(Path().glob(pattern)):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            if log.stat().st_mtime >= STARTED and lines and "Error: " in lines[-1]:
                return lines[-1].partition("Error: ")[2]
    return "not done"
