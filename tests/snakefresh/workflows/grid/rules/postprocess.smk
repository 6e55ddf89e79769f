rule make_summary:
    input:
        networks=expand(RESULTS + "networks/{opts}.json", **config["scenario"]),
    output:
        costs=RESULTS + "csvs/costs.csv",
        energy=RESULTS + "csvs/energy.csv",
    log:
        logs("make_summary.log"),
    script:
        "../scripts/make_summary.py"


rule convert_costs:
    input:
        rules.make_summary.output.costs,
    output:
        RESULTS + "csvs/costs_converted.csv",
    run:
        unit = config["export"]["unit"]
        rows = [{k: convert(v, unit) for k, v in row.items()} for row in read_csv(input[0])]
        write_csv(output[0], rows)


rule plot_network:
    params:
        plotting=config_provider("plotting"),
    input:
        network=rules.solve_network.output.network,
    output:
        map=RESULTS + "maps/{opts}.svg",
    log:
        logs("plot_network_{opts}.log"),
    script:
        "../scripts/plot_network.py"


if config["plotting"]["summary"]:

    rule plot_summary:
        params:
            plotting=config_provider("plotting"),
        input:
            costs=rules.convert_costs.output[0],
            energy=rules.make_summary.output.energy,
        output:
            costs=RESULTS + "graphs/costs.svg",
            energy=RESULTS + "graphs/energy.svg",
        log:
            logs("plot_summary.log"),
        script:
            "../scripts/plot_summary.py"
