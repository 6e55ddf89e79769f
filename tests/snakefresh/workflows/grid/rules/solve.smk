rule solve_network:
    input:
        network=rules.add_electricity.output[0],
    output:
        network=RESULTS + "networks/{opts}.json",
    log:
        solver=logs("solve_network_{opts}_solver.log"),
        python=logs("solve_network_{opts}_python.log"),
    threads: 2
    resources:
        mem_mb=lambda w, attempt: 500 * attempt,
    script:
        "../scripts/solve_network.py"
