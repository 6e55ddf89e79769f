"""What happens before the first job of a call of Snakemake."""

import gc
import logging
import os
import shlex
import signal
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from snakemake import benchmark
from snakemake.shell import shell

from scratchnet.errors import ConfigError, ResultsError, describe_owner
from scratchnet.files import atomic_write
from scratchnet.lock import lock_results
from scratchnet.planning import paths

KEPT_LOGS = 100


def set_environment(scripts):
    """Set up this process, and the environment of jobs with scripts in the folder `scripts`."""
    # Planning makes many objects that stay. To look among them for unreachable ones, as often as
    # Python does by default, took a sixth of the planning of 1,000 runs.
    gc.set_threshold(100_000)

    # Scripts import the library beside them, not an installed one: Snakemake puts it last.
    python_path = [str(scripts), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, python_path)))

    # Snakemake writes the path of Python into shell commands unquoted.
    if Path(sys.executable).exists():  # not yet quoted: a workflow may be read more than once
        sys.executable = shlex.quote(sys.executable)

    # Matplotlib does not load if this names a backend that it does not know. Pictures need none.
    os.environ.pop("MPLBACKEND", None)

    benchmark.write_benchmark_records = write_benchmark

    # Let the C library keep freed memory of the size of a batch's arrays for the next batch. Giving
    # it back to the system and asking for it again took a fifth of a training of LeNet-5. In bytes.
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(128 * 1024**2))
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(32 * 1024**2))


def write_benchmark(records, path, extended_fmt, write=benchmark.write_benchmark_records):
    """Write a benchmark whole or not at all, and in the place of a link, not through it."""
    with atomic_write(path) as temporary:
        write(records, str(temporary), extended_fmt)


def check_folder(root):
    """Check that results can be written, and say if those below the folder `root` are older ones.

    Raises ConfigError if the working directory cannot be written, or the results not be read.
    """
    here = ".snakemake" if Path(".snakemake").exists() else "."
    if not os.access(here, os.W_OK):
        raise ConfigError(
            f"Results go to the working directory, and {Path.cwd()} cannot be written: "
            "name another one with --directory"
        )
    results = Path(root, paths.RESULTS)
    if results.exists() and not os.access(results, os.R_OK | os.X_OK):
        raise ConfigError(f"{results}/ cannot be read{describe_owner(results)}")
    if not Path(results, ".traces").exists() and any(results.rglob(".*.fingerprint")):
        print(
            f"{results}/ was made by version 1 of this workflow. If it is good as it is: "
            "make accept (or snakemake --touch). Otherwise it is made again."
        )


def delete_old_logs():
    """Delete Snakemake's oldest logs: each call leaves one, even if there is nothing to do."""
    for log in sorted(Path(".snakemake/log").glob("*.snakemake.log"))[:-KEPT_LOGS]:
        with suppress(OSError):
            log.unlink()


def end_on_interrupt():
    """On Ctrl-C and the like, print one sentence and end: before the first job, nothing is begun.

    Snakemake gives SIGTERM another meaning when it schedules jobs: finish those that are running.
    """
    for each in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        _handle(each, _quit)


def _handle(number, handler):
    if signal.getsignal(number) is not signal.SIG_IGN:  # by nohup, for example
        signal.signal(number, handler)


def _quit(number, frame):
    _say_goodbye()
    os._exit(1)  # a traceback of Snakemake's event loop would follow sys.exit


def end_jobs_on_interrupt():
    """On Ctrl-C, and when the terminal is closed, end the jobs and print one sentence.

    Otherwise each job would print a traceback, and Snakemake several lines about it.
    """
    shell.prefix("set -euo pipefail; trap '' INT; ")  # jobs ignore the signal of Ctrl-C
    for each in (signal.SIGINT, signal.SIGHUP):
        _handle(each, _stop)


def _stop(number, frame):
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # a second one has nothing left to do
    logging.disable()
    _say_goodbye()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    sys.exit(1)


def _say_goodbye():
    with suppress(OSError):  # there may be no terminal any more
        # Not print, which fails if the signal came while it was printing.
        os.write(1, b"\nStopping. The same command goes on from the last checkpoint.\n")


def lift_job_rate(scheduler):
    """Let jobs start as soon as they can, unless somebody chose --max-jobs-per-timespan.

    With its default, 100 in a second, Snakemake looks at all ready jobs again a second after each
    look, and does so once more for each job that has ended: with 100 short runs, this took three
    quarters of its own time, and it grows with the square of the runs.
    """
    limit = scheduler.job_rate_limiter
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        scheduler.job_rate_limiter = None


def start(logger, scheduler):
    """Lock the results for this process and its jobs; end these on Ctrl-C; make room for messages.

    Jobs on a cluster have no lock. A message of `logger` replaces the live line of a job instead of
    mixing with it. The `scheduler` is spared what takes long with many jobs.
    """
    from scratchnet.progress import AroundLiveLines

    try:
        jobs = lock_results(paths.RESULTS)
    except ResultsError as error:
        logger.error(str(error))
        sys.exit(1)
    shell._process_args["pass_fds"] = jobs  # of subprocess.Popen
    end_jobs_on_interrupt()
    lift_job_rate(scheduler)
    for handler in logger.handlers:
        if getattr(handler, "is_tty", False):
            handler.setStream(AroundLiveLines(handler.stream))
