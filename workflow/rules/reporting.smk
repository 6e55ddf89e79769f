# The report: which results it shows, and its first page. And what is said at the end of a run.


def reported(path, figure):
    """An output that the report shows as `figure`, by dataset and run.

    Its caption is the file of the same name in workflow/report/.
    """

    def category(wildcards):  # only a report asks for it
        prepare_report()
        if "prediction" in wildcards.keys():
            return "predictions"
        if "run" in wildcards.keys():
            return settings_of(dict(wildcards.items()))["dataset"]
        return "all runs"

    def subcategory(wildcards):
        return wildcards.get("run", wildcards.get("prediction", "all runs"))

    def labels(wildcards):
        epoch = {"epoch": str(int(wildcards.epoch))} if "epoch" in wildcards.keys() else {}
        return {"figure": figure, **epoch}

    return report(
        path,
        caption=f"../report/{Path(path).stem}.rst",
        category=category,
        subcategory=subcategory,
        labels=labels,
    )


@cache
def prepare_report():
    """Let no text end the scripts of a report, and let it appear complete or not at all.

    Snakemake writes params and paths into the scripts as they are.
    """
    from snakemake.report.html_reporter import Reporter, data

    from scratchnet.files import atomic_write

    def escaped(render):
        return lambda *arguments: render(*arguments).replace("<", r"\u003c")

    for name in [name for name in vars(data) if name.startswith("render_")]:
        setattr(data, name, escaped(getattr(data, name)))

    def render_whole(reporter, render=Reporter.render):
        if not reporter.mode_embedded:  # a .zip, whose folder has its name
            return render(reporter)
        try:
            with atomic_write(reporter.settings.path) as reporter.settings.path:
                render(reporter)
        except OSError as error:
            raise WorkflowError(f"The report cannot be written: {error}")

    Reporter.render = render_whole


def plot_file(path, figure):
    """A plot as an output that the report shows, in the format that config.yaml asks for."""
    return reported(f"{path}.{RUNS.settings[0]['plots.format']}", figure)


def closing():
    """What is said at the end of a run, which then ends at once."""
    from scratchnet.closing import Closing, cancel_timers

    cancel_timers()
    return Closing(workflow, watched, RUNS, checkpoints_of_rung)


def overview():
    """What the first page of the report shows (workflow/report/overview.rst)."""
    from scratchnet.evaluation.summary import (
        describe_missing_classes,
        format_summary,
        tabulate_costs,
    )
    from scratchnet.errors import escape_rst
    from scratchnet.files import read_csv

    benchmarks = {
        each.name: {
            path
            for place in RUNS.wildcards
            for path in Path().glob(
                each.benchmark.apply_wildcards(place | {"epoch": "*", "rung": "*"})
            )
        }
        for each in workflow.rules
        if each.benchmark and each.wildcard_names <= {*RUNS.wildcards[0], "rung"}
    }
    for job in workflow.dag.jobs:  # what is damaged is not shown
        for path in job.output:
            watched.check(path)
    run_column = ["run"] if RUNS.swept else []
    shown = evaluated_runs()
    settings = paths.RUN_CONFIG.format(**shown.wildcards[0])
    losses = ["train_loss", "validation_loss", "test_loss"]
    notes = [f"{row['folder']}: {row['note']}" for row in read_csv(paths.SUMMARY) if row["note"]]
    notes += describe_missing_classes([paths.METRICS.format(**place) for place in shown.wildcards])
    return {
        "escape": escape_rst,
        "notes": notes,
        "datasets": ", ".join(sorted({settings["dataset"] for settings in shown.settings})),
        "results": format_summary(
            paths.SUMMARY, omit=["folder", "note", "error", *losses, *run_column]
        ),
        "swept": ", ".join(RUNS.swept),
        "trials": len(RUNS.rows) if RUNS.search else None,
        "settings": Path(settings).read_text(encoding="utf-8"),
        "costs": tabulate_costs(benchmarks),
    }
