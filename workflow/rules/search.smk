# From many trials to the best of them; only if config.yaml has a search. As long as it is not known
# who goes on from a rung, promotion.smk sends what depends on it to the checkpoint below.
checkpoint rank_rung:
    input:
        track.inputs("rank_rung", ranking_before, checkpoints_of_rung),
    output:
        paths.RANKING,
    log:
        paths.log("rank_rung", paths.RUNG),
    benchmark:
        paths.benchmark("rank_rung", paths.RUNG)
    localrule: True
    params:
        fingerprint=track.fingerprint("rank_rung"),
        why=track.why("rank_rung"),
    message:
        "Ranking the trials of {wildcards.search} in rung {wildcards.rung}{params.why}"
    script:
        "../scripts/rank_rung.py"


rule compare_trials:
    input:
        track.inputs("compare_trials", all_rankings, checkpoints_of_all_rungs),
    output:
        trials=reported(f"{paths.SEARCH}/trials.csv", "All trials"),
        rungs=f"{paths.SEARCH}/rungs.csv",
    log:
        paths.log("compare_trials", paths.SEARCH),
    benchmark:
        paths.benchmark("compare_trials", paths.SEARCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("compare_trials"),
        why=track.why("compare_trials"),
    message:
        "Comparing the trials of {wildcards.search}{params.why}"
    script:
        "../scripts/compare_trials.py"


rule plot_rungs:
    input:
        track.inputs("plot_rungs", f"{paths.SEARCH}/rungs.csv"),
    output:
        plot_file(f"{paths.SEARCH}/rungs", "Trials by epoch"),
    log:
        paths.log("plot_rungs", paths.SEARCH),
    benchmark:
        paths.benchmark("plot_rungs", paths.SEARCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_rungs"),
        why=track.why("plot_rungs"),
    message:
        "Plotting the rungs of {wildcards.search}{params.why}"
    script:
        "../scripts/plot_rungs.py"


rule plot_trials:
    input:
        track.inputs("plot_trials", f"{paths.SEARCH}/trials.csv"),
    output:
        plot_file(f"{paths.SEARCH}/trials", "Trials by setting"),
    log:
        paths.log("plot_trials", paths.SEARCH),
    benchmark:
        paths.benchmark("plot_trials", paths.SEARCH)
    localrule: True
    params:
        fingerprint=track.fingerprint("plot_trials"),
        why=track.why("plot_trials"),
    message:
        "Plotting the trials of {wildcards.search} by setting{params.why}"
    script:
        "../scripts/plot_trials.py"
