# From many trials to the best of them; only if config.yaml has a search. As long as it is not known
# who goes on from a rung, promotion.smk sends what depends on it to the checkpoint below.
checkpoint rank_rung:
    input:
        ranking_before,
        checkpoints_of_rung,
    output:
        paths.RANKING,
    localrule: True
    message:
        "Ranking the trials of {wildcards.search} in rung {wildcards.rung}{params.why}"
    script:
        "../scripts/rank_rung.py"


rule compare_trials:
    input:
        all_rankings,
        checkpoints_of_all_rungs,
    output:
        trials=reported(f"{paths.SEARCH}/trials.csv", "All trials"),
        rungs=f"{paths.SEARCH}/rungs.csv",
    localrule: True
    message:
        "Comparing the trials of {wildcards.search}{params.why}"
    script:
        "../scripts/compare_trials.py"


rule plot_rungs:
    input:
        f"{paths.SEARCH}/rungs.csv",
    output:
        plot_file(f"{paths.SEARCH}/rungs", "Trials by epoch"),
    localrule: True
    message:
        "Plotting the rungs of {wildcards.search}{params.why}"
    script:
        "../scripts/plot_rungs.py"


rule plot_trials:
    input:
        f"{paths.SEARCH}/trials.csv",
    output:
        plot_file(f"{paths.SEARCH}/trials", "Trials by setting"),
    localrule: True
    message:
        "Plotting the trials of {wildcards.search} by setting{params.why}"
    script:
        "../scripts/plot_trials.py"
