rule retrieve_costs:
    params:
        year=config_provider("costs", "year"),
    input:
        "data/costs.csv",
    output:
        resources("costs.csv"),
    shell:
        "grep '^year,\\|^{params.year},' {input} > {output}"


rule clean_lines:
    input:
        "data/lines.csv",
    output:
        temp(resources("lines.csv")),
    shell:
        "grep -v '^#' {input} | sort > {output}"


rule build_demand:
    params:
        scale=config_provider("demand", "scale"),
    input:
        "data/demand.csv",
    output:
        resources("demand.csv"),
    log:
        logs("build_demand.log"),
    script:
        "../scripts/build_demand.py"


rule build_profile:
    params:
        technology=lambda w: config_provider("technologies", w.technology)(w),
    input:
        weather="data/weather.csv",
    output:
        profile=resources("profile_{technology}.csv"),
    log:
        logs("build_profile_{technology}.log"),
    script:
        "../scripts/build_profile.py"


rule build_hydro_profile:
    params:
        technology=config_provider("technologies", "hydro"),
    input:
        weather="data/inflow.csv",
    output:
        profile=resources("profile_hydro.csv"),
    log:
        logs("build_hydro_profile.log"),
    script:
        "../scripts/build_profile.py"


rule add_electricity:
    params:
        voll=config["demand"].get("value_of_lost_load", 1000),
    input:
        unpack(input_profiles),
        demand=rules.build_demand.output[0],
        costs=rules.retrieve_costs.output[0],
        lines=resources("lines.csv"),
    output:
        resources("networks/base.json"),
    log:
        logs("add_electricity.log"),
    script:
        "../scripts/add_electricity.py"
