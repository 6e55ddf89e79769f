"""What is said at the end of a call of Snakemake: the results, or what failed and why."""

import os
import shlex
import shutil
import sys
import threading
from collections import Counter
from pathlib import Path

from scratchnet.errors import escape, shorten_list
from scratchnet.evaluation.summary import (
    OF_CLASSES,
    align_columns,
    are_imbalanced,
    describe_missing_classes,
    describe_other_environments,
    format_summary,
    summarize,
)
from scratchnet.files import has_inodes, read_csv
from scratchnet.lock import RUN
from scratchnet.planning import paths
from scratchnet.planning.search import read_promoted
from scratchnet.planning.stage_settings import READS


def show(*lines):
    """Print lines; escape control characters, and those that the terminal's encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        print(escape(line, keep="\n").encode(encoding, "backslashreplace").decode(encoding))


def cancel_timers():
    """Cancel the timers of Snakemake's rate limit: it would wait up to a second for the last one.

    That is 8 % of a default run. Call this when no job is left to start.
    """
    for thread in threading.enumerate():
        function = getattr(thread, "function", None)
        if getattr(function, "__module__", "") == "snakemake.scheduling.job_scheduler":
            thread.cancel()


class Closing:
    """The end of a call of Snakemake: `workflow` is its object of that name.

    `watched` is what snakefresh's `watch` returned, and `runs` has the Runs of the configuration.
    `checkpoints_of_rung` is a function of the wildcards of a rung.
    """

    def __init__(self, workflow, watched, runs, checkpoints_of_rung):
        self.workflow, self.watched, self.runs = workflow, watched, runs
        self.checkpoints_of_rung = checkpoints_of_rung
        self.partial_summary = Path(paths.PARTIAL_SUMMARY.format(sweep=runs.sweep))

    def show_results(self):
        """After a whole run, print the results and where they are, if all of them are current."""
        runs, is_sweep = self.runs, self.runs.swept and not self.runs.search
        tables = [("summarize", {})]
        if runs.search:  # before the summary, which needs the winner
            tables = [*(("rank_rung", rung) for rung in runs.search.wildcards), *tables]
        elif is_sweep:
            tables.append(("compare_points", {"sweep": runs.sweep}))
        if not self._is_whole_run() or not all(self.watched.is_current(*each) for each in tables):
            return
        self.partial_summary.unlink(missing_ok=True)
        sweep_folder = paths.SWEEP.format(sweep=runs.sweep)
        summary, points = self.watched.check(paths.SUMMARY), f"{sweep_folder}/points.csv"
        by_point = is_sweep and len(read_csv(self.watched.check(points))) < len(runs.rows)
        evaluated = runs
        if runs.search:
            (winner,) = read_promoted(paths.RANKING.format(**runs.search.wildcards[-1]))
            evaluated = runs.only(winner)
        metrics = [paths.METRICS.format(**place) for place in evaluated.wildcards]
        # (With --omit-from, they do not exist.)
        metrics = [self.watched.check(path) for path in metrics if Path(path).exists()]
        omit = ("run", "note", "error", *(() if are_imbalanced(metrics) else OF_CLASSES))
        show("", *align_columns(format_summary(points if by_point else summary, omit)), "")
        rows = read_csv(summary)
        for row in rows:
            if row["best"]:
                show(f"The best run by validation loss: {row['folder']}")
        notes = [f"Note:   {row['folder']}: {row['note']}" for row in rows if row["note"]]
        show(*shorten_list(notes, 10))
        self._show_counts()
        for line in describe_missing_classes(metrics):
            show(f"Note:   {line}")
        records = [paths.TRAINING_RECORD.format(**place) for place in evaluated.wildcards]
        if others := describe_other_environments(records):
            show(f"Note:   {others}; here it may differ in the last digits (docs/staleness.md)")
        if runs.search:
            table = f"{paths.SEARCH.format(search=runs.search.name)}/trials.csv"
            show(f"Trials: {table} has all {len(runs.rows)}, with plots beside it")
            settings = paths.RUN_CONFIG.format(**evaluated.wildcards[0])
            show(f"Winner: {settings} has its settings, to be used as config.yaml")
        where = sweep_folder if is_sweep else "the folder above"
        show(f"Table:  {paths.SUMMARY}; plots: in {where}")
        show(f"Report: {self._hint('report', '--report', 'results/report.html')}")
        show(f"Demo:   {self._hint('demo', '--cores', '1', 'demo')}")

    def show_failures(self):
        """After a whole sweep or search that failed, print what became of each run."""
        for folder in (paths.RESULTS, ".snakemake"):  # Snakemake does not say which disk is full
            if Path(folder).exists() and shutil.disk_usage(folder).free < 1_000_000:
                show(f"\nThe disk of {folder}/ is full: make room, and run the command again.")
            elif not has_inodes(folder):
                show(
                    f"\nThe disk of {folder}/ has no inodes left (df -i): delete some files, "
                    "and run the command again."
                )
        if not self._is_whole_run():
            return
        if self.runs.search:
            self._show_failed_trials()
        elif len(self.runs.rows) > 1:
            self._show_failed_runs()

    def _show_failed_runs(self):
        partial = [
            row if self.watched.is_current("evaluate", result) else row | {"error": error}
            for row, place in zip(self.runs.rows, self.runs.wildcards)
            for result in [{"run": place["run"], "epoch": place["epoch"]}]
            for error in [self._find_error(place)]
        ]
        failed = [row for row in partial if "error" in row]
        if not failed:
            return
        show(f"\n{len(partial) - len(failed)} of {len(partial)} runs are complete.")
        summarize(partial, self.partial_summary)
        show(f"{self.partial_summary} lists all of them.")
        lines = [
            f"{self.runs.describe(row['run'])} ({row['folder']}): {row['error']}" for row in failed
        ]
        for line in shorten_list(lines, 10):
            show(f"  {line}")

    def _show_failed_trials(self):
        """Print which trials are missing in the first rung that is not ranked, and why."""
        rungs = self.runs.search.wildcards
        open_rungs = (rung for rung in rungs if not self.watched.is_current("rank_rung", rung))
        if not (rung := next(open_rungs, None)):
            return
        found = [Path(path) for path in self.checkpoints_of_rung(rung)]
        trials = [{"run": path.parts[-3], "epoch": path.stem[-4:]} for path in found]
        failed = [trial for trial in trials if not self.watched.is_current("train", trial)]
        if failed:
            n = int(rung["rung"])
            show(f"\n{len(trials) - len(failed)} of {len(trials)} trials of rung {n} are trained.")
            places = {place["run"]: place for place in self.runs.wildcards}
            lines = [
                f"{self.runs.describe(run)} ({run}): {self._find_error(places[run])}"
                for run in (each["run"] for each in failed)
            ]
            for line in shorten_list(lines, 10):
                show(f"  {line}")

    def _find_error(self, place):
        """Return the last error in the logs that the stages of a run have written in this call."""
        logs = [
            paths.log("evaluate", paths.EPOCH),
            paths.log("train", paths.EPOCH),
            paths.log("preprocess", paths.DATA),
            paths.log("download", paths.DATASET),
        ]
        started = Path(paths.RESULTS, RUN).stat().st_mtime
        for pattern in logs:
            for log in sorted(Path().glob(pattern.format(**place | {"epoch": "*"}))):
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                if log.stat().st_mtime >= started and lines and "Error: " in lines[-1]:
                    return lines[-1].partition("Error: ")[2]
        return "not done"

    def _is_whole_run(self):
        """Whether Snakemake was called without targets of the user's choice."""
        return set(self.workflow.dag_settings.targets) <= {"all", "plots"}

    def _show_counts(self):
        """Print which rules ran, and whose results are as they were."""
        dag = self.workflow.dag
        ran = {*dag.finished_jobs}
        others = [job for job in dag.jobs if job not in ran and not dag.needrun(job)]
        reused = [
            job
            for job in others
            if job.rule.name in READS
            and self.watched.is_current(job.rule.name, dict(job.wildcards.items()))
        ]
        show(f"Ran:    {self._count_rules(ran)}", f"Reused: {self._count_rules(reused)}")

    def _count_rules(self, jobs):
        """Return the rules of `jobs` and how many jobs each has, as text: train, 2 evaluate."""
        counts = Counter(job.rule.name for job in jobs if job.output)
        order = [each.name for each in self.workflow.rules]
        names = sorted(counts, key=order.index)
        return ", ".join(f"{counts[n]} {n}" if counts[n] > 1 else n for n in names) or "nothing"

    def _hint(self, make_target, *arguments):
        """Return a command that goes on from this run: with its configuration, in its folder.

        After `make run`, which activates no environment, that is a target of make.
        """
        workflow = self.workflow
        words = list(arguments)
        if Path(workflow.main_snakefile) != Path(workflow.workdir_init, "Snakefile"):
            words += ["--snakefile", workflow.main_snakefile]
        if workflow.overwrite_workdir:
            words += ["--directory", str(workflow.overwrite_workdir)]
        settings = workflow.config_settings
        if settings.configfiles:
            words += ["--configfile", *map(str, settings.configfiles)]
        if settings.config_args:
            words += ["--config", *settings.config_args]
        if "RUN_BY_MAKE" in os.environ and len(words) == len(arguments):
            return f"make {make_target}"
        return shlex.join(["snakemake", *words])
