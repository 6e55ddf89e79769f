# On request: the lesson, executed on the arrays of the run.
rule make_lesson:
    input:
        track.inputs(
            "make_lesson",
            manifest=paths.MANIFEST,
            X_train=paths.ARRAYS["X_train"],
            Y_train=paths.ARRAYS["Y_train"],
            X_test=paths.ARRAYS["X_test"],
            Y_test=paths.ARRAYS["Y_test"],
        ),
    output:
        f"{paths.DATA}/lesson.html",
    log:
        paths.log("make_lesson", paths.DATA),
    benchmark:
        paths.benchmark("make_lesson", paths.DATA)
    localrule: True
    params:
        fingerprint=track.fingerprint("make_lesson"),
        why=track.why("make_lesson"),
    message:
        "Executing the lesson on {wildcards.data}, which takes a minute{params.why}"
    script:
        "../scripts/make_lesson.py"
