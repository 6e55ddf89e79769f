# The targets: which results `all` and the rules on request stand for.
SEARCH_STAGES = ("rank_rung", "compare_trials", "plot_rungs", "plot_trials")
STAGES_OF_TRIALS = ("download", "preprocess")  # and as much training as is wanted


def results_of(*stages):
    """The first result of each of `stages`, for each run.

    Of a search, those of the winner, which is known to input functions only. A workflow that uses
    this one as a module may ask, too: input: NAME.results_of("train")
    """
    return [
        getattr(rules, stage).output[0].apply_wildcards(place)
        for place in evaluated_runs().wildcards
        for stage in stages
    ]


def results_on_request(*stages):
    """An input: the same, once the winner of a search is known."""
    return lambda wildcards: results_of(*stages)


def results_of_run(*stages):
    """An input: the first result of each of `stages` that the run has."""

    def results(wildcards):
        settings = settings_of(wildcards)
        return [
            getattr(rules, stage).output[0].apply_wildcards(all_wildcards(wildcards))
            for stage in stages
            if stage not in WANTED or WANTED[stage](settings)
        ]

    return results


def all_results(with_plots_of_runs=not RUNS.swept):
    """An input: the first result of each of the rules so far, for each run.

    The first is enough: a stage that lacks another one is stale, and runs.
    """
    patterns = {stage: getattr(rules, stage).output[0] for stage in READS if rules.has(stage)}
    if RUNS.search:
        return results_of_search(patterns)
    return first_results(RUNS, patterns, with_plots_of_runs)


def results_of_search(patterns):
    """An input: the trials as far as they go, their rankings, and all results of the winner."""
    of_search = {s: pattern for s, pattern in patterns.items() if s in SEARCH_STAGES}
    of_trials = {s: pattern for s, pattern in patterns.items() if s in STAGES_OF_TRIALS}
    of_winner = {s: pattern for s, pattern in patterns.items() if s not in SEARCH_STAGES}
    rankings = [
        pattern.apply_wildcards(rung)
        for rung in RUNS.search.wildcards
        for pattern in of_search.values()
    ]
    return [
        *first_results(RUNS, of_trials),
        *dict.fromkeys(rankings),
        *(of_rung(rung) for rung in RUNS.search.wildcards),
        lambda wildcards: first_results(evaluated_runs(), of_winner),
    ]


def of_rung(rung):
    """An input: the checkpoints of a rung. Each rung has its own, as it is known by itself."""
    return lambda wildcards: checkpoints_of_rung(rung)


def first_results(runs, patterns, with_plots_of_runs=True):
    """The first result of each stage, {stage: pattern}, for each of the Runs `runs`.

    Only the results that the run has are asked for: the user's own data are not downloaded.
    """
    found = [
        pattern.apply_wildcards(place)
        for settings, place in zip(runs.settings, runs.wildcards)
        for stage, pattern in patterns.items()
        if stage not in WANTED or WANTED[stage](settings)
        if with_plots_of_runs
        or not (stage.startswith("plot_") and "run" in pattern.get_wildcard_names())
    ]
    return list(dict.fromkeys(found))


def predicted_results(*stages):
    """An input: the first result of each of `stages`, for what `snakemake predict` is asked for."""
    return lambda wildcards: [
        getattr(rules, stage).output[0].apply_wildcards({"prediction": prediction_request().name})
        for stage in stages
    ]


def number_of_ensembles():
    """How many groups of runs there are that differ only in their seed; 0 if each is of one run."""
    from scratchnet.evaluation.summary import group_by_point

    groups = [] if RUNS.search else group_by_point(RUNS.rows).values()
    return sum(len(runs) > 1 for runs in groups)


def ensembles(wildcards):
    """An input: the table of ensembles."""
    if not number_of_ensembles():
        sys.exit(
            "an ensemble needs runs that differ only in their seed, as with "
            "--config 'sweep={training.seed: [0, 1, 2, 3, 4]}'"
        )
    return rules.evaluate_ensembles.output[0].apply_wildcards({"sweep": RUNS.sweep})


def only_ensemble(wildcards):
    """An input: the exported ensemble, if all runs are in the same."""
    if number_of_ensembles() == 1 and RUNS.swept == ["training.seed"]:
        return rules.export_ensemble.output[0].apply_wildcards({"sweep": RUNS.sweep})
    return []
