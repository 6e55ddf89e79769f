"""The house rules of the code: who imports what, what a rule looks like, what the README shows."""

import ast
import re
import subprocess
import sys

import pytest

from project import CHECKOUT

SCRIPTS = CHECKOUT / "workflow" / "scripts"
LIBRARY = SCRIPTS / "scratchnet"
RULES = CHECKOUT / "workflow" / "rules"
NETWORK = (
    *("layers", "initializers", "losses", "optimizers", "schedules"),
    *("network", "batches", "streams"),
)
# The order that snakefmt gives them.
DIRECTIVES = (
    *("input", "output", "log", "benchmark", "localrule", "threads"),
    *("resources", "params", "message", "script"),
)


def imports(path):
    """The top-level packages that a Python file imports, and scratchnet's modules by full name."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return {name if name.startswith("scratchnet.") else name.split(".")[0] for name in names}


@pytest.mark.parametrize("name", NETWORK)
def test_the_network_needs_numpy_and_itself_only(name):
    standard = set(sys.stdlib_module_names)
    allowed = {"numpy"} | {f"scratchnet.{other}" for other in NETWORK}
    assert imports(LIBRARY / f"{name}.py") - standard <= allowed


def test_the_network_can_be_read_in_one_sitting():
    lines = sum(len((LIBRARY / f"{name}.py").read_text().splitlines()) for name in NETWORK)
    assert lines <= 500


@pytest.mark.parametrize(
    ("package", "users"),
    [
        ("matplotlib", {"evaluation/plots.py"}),
        ("requests", {"data/download.py"}),
        ("jsonschema", {"planning/config.py"}),
        ("tensorflow", {"interop/keras_model.py", "interop/parity.py"}),
        ("onnx", {"interop/export.py"}),
        ("PIL", {"predict/image_input.py"}),
        ("snakemake", {"fingerprint/tracker.py"}),
    ],
)
def test_heavy_packages_stay_where_they_are_needed(package, users):
    modules = LIBRARY.rglob("*.py")
    importing = {
        path.relative_to(LIBRARY).as_posix() for path in modules if package in imports(path)
    }
    assert importing == users


@pytest.mark.parametrize(
    "path", sorted((LIBRARY / "fingerprint").rglob("*.py")), ids=lambda path: path.stem
)
def test_the_fingerprint_package_knows_nothing_of_this_project(path):
    others = imports(path) - set(sys.stdlib_module_names) - {"snakemake"}
    assert all(name.startswith("scratchnet.fingerprint.") for name in others), others


def test_planning_does_not_load_numpy():
    """`common.smk` is read at the start of each job on a cluster."""
    modules = (
        "scratchnet.planning.stages, scratchnet.planning.config, scratchnet.evaluation.summary, "
    )
    modules += "scratchnet.planning.prediction_request, scratchnet.planning.reasons, scratchnet.fingerprint.tracker"
    code = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import {modules}; import sys; "
    code += "assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_scripts_are_thin_and_see_no_more_than_their_fingerprint(script):
    source = script.read_text()
    assert "snakemake.config" not in source
    assert not any(isinstance(n, ast.FunctionDef | ast.If) for n in ast.walk(ast.parse(source)))
    assert "with job.stage_job(snakemake) as settings:" in source


def rules():
    """The indented text below each `rule NAME:`, by name."""
    text = "\n".join(path.read_text() for path in sorted(RULES.glob("*.smk")))
    return dict(re.findall(r"^rule (\w+):\n((?:(?: +.*)?\n)+)", text + "\n", re.MULTILINE))


def test_each_script_has_its_rule():
    assert set(rules()) == {path.stem for path in SCRIPTS.glob("*.py")}


@pytest.mark.parametrize(("name", "text"), rules().items(), ids=rules().keys())
def test_rules_have_every_directive_in_one_order(name, text):
    found = re.findall(r"^    (\w+):", text, re.MULTILINE)
    assert found == [name for name in DIRECTIVES if name in found or name != "localrule"]
    # What is submitted asks for more at each attempt; functions would slow down planning elsewhere.
    is_submitted = name in ("preprocess", "train", "check_parity")
    amount = r"growing\(" if is_submitted else r"\d+,"
    assert is_submitted != ("localrule" in found)
    for resource in ("mem_mb", "runtime", "disk_mb"):
        assert re.search(f"        {resource}={amount}", text)
    assert f'track.inputs("{name}"' in re.sub(r"\(\s+", "(", text)
    assert f'fingerprint=track.fingerprint("{name}")' in text
    assert f'why=track.why("{name}")' in text
    assert f"../scripts/{name}.py" in text


def test_rule_files_hold_rules_and_two_others_hold_functions():
    for path in RULES.glob("*.smk"):
        text, has_functions = path.read_text(), path.name in ("common.smk", "handlers.smk")
        assert bool(re.search(r"^rule ", text, re.MULTILINE)) != has_functions
        assert bool(re.search(r"\b(def|lambda)\b", text)) == has_functions


def test_requirements_name_no_host():
    for path in CHECKOUT.glob("requirements*.*"):
        assert not re.search(r"://|--(extra-)?index-url|--find-links", path.read_text()), path


def snakemake(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_lint_asks_for_conda_and_nothing_else():
    output = snakemake("--lint")
    hints = set(re.findall(r"^    \* (.*)$", output.stdout + output.stderr, re.MULTILINE))
    assert hints == {"Specify a conda environment or container for each rule.:"}


def test_the_readme_shows_the_present_rule_graph():
    graph = snakemake("--rulegraph", "mermaid-js").stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", graph))
    edges = {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", graph)}
    readme = (CHECKOUT / "README.md").read_text()
    drawn = re.search(r"```mermaid\n(.*?)```", readme, re.DOTALL)[1]
    shown = set(re.findall(r"(\w+) --> (\w+)", drawn))
    assert shown == {(a, b) for a, b in edges if b != "all"}
    assert set(re.findall(r"\w+", drawn)) >= set(names.values()) - {"all"}


def test_the_readme_gives_a_reason_for_each_dependency():
    readme = (CHECKOUT / "README.md").read_text()
    for path in CHECKOUT.glob("requirements*.in"):
        for line in path.read_text().split():
            if line != "-r" and not line.startswith("requirements"):
                assert f"| {line} |" in readme, line
