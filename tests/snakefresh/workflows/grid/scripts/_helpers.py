"""What all scripts share."""

import copy
import csv
import json
import logging
from pathlib import Path
from types import SimpleNamespace

HOURS_PER_STEP = 6
RETRIES = 3
LOG_FORMAT = "%(levelname)s:%(name)s:%(message)s"


def path_provider(folder, run):
    """Return a function that puts a file into the folder of a run."""

    def path(name):
        return f"{folder}{run}/{name}" if run else f"{folder}{name}"

    return path


def configure_logging(snakemake):
    """Send what a script logs to its log file."""
    options = dict(snakemake.config.get("logging", {}), format=LOG_FORMAT, force=True)
    if snakemake.log:
        logfile = snakemake.log.get("python", snakemake.log[0])
        Path(logfile).parent.mkdir(parents=True, exist_ok=True)
        options["handlers"] = [logging.FileHandler(logfile, mode="w")]
    logging.basicConfig(**options)


def update_config_from_wildcards(config, wildcards):
    """Return the config with what the options of a file name say: "co2l0.5" halves the gas."""
    config = copy.deepcopy(config)
    if wildcards.opts.startswith("co2l"):
        config["solving"]["gas_limit"] *= float(wildcards.opts.removeprefix("co2l"))
    return config


def read_csv(path):
    """Return the rows of a table, with numbers where there are some."""
    with open(path, newline="") as file:
        return [{key: number(value) for key, value in row.items()} for row in csv.DictReader(file)]


def write_csv(path, rows):
    """Write a table of dicts."""
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def number(text):
    """Return a text as a number if it is one."""
    try:
        return float(text)
    except ValueError:
        return text


def convert(value, unit):
    """Return a cost in a unit, and what is no cost as it is."""
    return value if isinstance(value, str) else round(value / unit, 2)


def read_network(path):
    return json.loads(Path(path).read_text())


def write_network(path, network):
    Path(path).write_text(json.dumps(network, indent=1))


def retrieve(url, path):
    """Download a file; in vain, if there is no network."""
    from urllib.request import urlretrieve

    for _ in range(RETRIES):
        urlretrieve(url, path)


def mock_snakemake(rulename, **wildcards):
    """Return what the script of a rule finds as `snakemake`, to try it without Snakemake."""
    from snakemake.api import Workflow
    from snakemake.dag import DAG
    from snakemake.jobs import Job
    from snakemake.settings import types

    workflow = Workflow(
        config_settings=types.ConfigSettings(),
        resource_settings=types.ResourceSettings(),
        workflow_settings=types.WorkflowSettings(),
        logger_manager=None,
        storage_settings=types.StorageSettings(),
        dag_settings=types.DAGSettings(rerun_triggers=[]),
    )
    workflow.include("Snakefile")
    workflow.global_resources = {}
    rule = workflow.get_rule(rulename)
    job = Job(rule, DAG(workflow, rules=[rule]), wildcards)
    for path in [*job.output, *job.log]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    return SimpleNamespace(
        input=job.input,
        output=job.output,
        params=job.params,
        wildcards=job.wildcards,
        threads=1,
        log=job.log,
        config=workflow.globals["config"],
    )
