# On request: the lesson, executed on the arrays of the run.
rule make_lesson:
    input:
        manifest=paths.MANIFEST,
        X_train=paths.ARRAYS["X_train"],
        Y_train=paths.ARRAYS["Y_train"],
        X_test=paths.ARRAYS["X_test"],
        Y_test=paths.ARRAYS["Y_test"],
    output:
        f"{paths.DATA}/lesson.html",
    localrule: True
    message:
        "Executing the lesson on {wildcards.data}, which takes a minute{params.why}"
    script:
        "../scripts/make_lesson.py"
