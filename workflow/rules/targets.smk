# The targets: which results `all` and the rules on request stand for.


def results_of(*stages):
    """Where the first result of each of `stages` lies on disk, for each run.

    A workflow that uses this one as a module may ask, too: input: NAME.results_of("train")
    """
    return [
        str(getattr(rules, stage).output[0].apply_wildcards(place))
        for place in RUNS.wildcards
        for stage in stages
    ]


def results_on_request(*stages):
    """The same, as paths in rules."""
    return [rule_path(path) for path in results_of(*stages)]


def rule_path(path):
    """What rules call a path below FILES: results/..."""
    return paths.RESULTS + path.removeprefix(FILES)


def all_results(with_plots_of_runs=not RUNS.swept):
    """The first result of each of the rules so far, for each run.

    The first is enough: a stage that lacks another one is stale, and runs. Only the results that
    the run has are asked for: the user's own data are not downloaded.
    """
    patterns = {stage: getattr(rules, stage).output[0] for stage in STAGES if rules.has(stage)}
    found = [
        rule_path(pattern.apply_wildcards(place))
        for settings, place in zip(RUNS.settings, RUNS.wildcards)
        for stage, pattern in patterns.items()
        if stage not in WANTED or WANTED[stage](settings)
        if with_plots_of_runs
        or not (stage.startswith("plot_") and "run" in pattern.get_wildcard_names())
    ]
    return list(dict.fromkeys(found))


def predicted_results(*stages):
    """An input: the first result of each of `stages`, for what `snakemake predict` is asked for."""
    return lambda wildcards: [
        rule_path(
            getattr(rules, stage)
            .output[0]
            .apply_wildcards({"prediction": prediction_request().name})
        )
        for stage in stages
    ]
