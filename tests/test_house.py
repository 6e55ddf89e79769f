"""The architecture: which package may import which, what a script and a rule look like."""

import ast
import re
import subprocess
import sys
from importlib import metadata

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from project import CHECKOUT
from scratchnet.planning.stage_settings import READS

SCRIPTS = CHECKOUT / "workflow" / "scripts"
LIBRARY = SCRIPTS / "scratchnet"
RULES = CHECKOUT / "workflow" / "rules"
MODULES = sorted(LIBRARY.rglob("*.py"))
STANDARD = set(sys.stdlib_module_names)

# What each package, and each root module, may import of the library, besides itself.
ROOT = {"errors", "files", "pixel_range", "progress", "random_streams"}
MAY_IMPORT = {
    "errors": set(),
    "files": set(),
    "pixel_range": set(),
    "progress": set(),
    "random_streams": set(),
    "job": {"errors", "files"},
    "lock": {"errors"},
    "nn": set(),
    "data": ROOT,
    "training": {*ROOT, "nn"},
    "evaluation": {*ROOT, "nn", "training"},
    "predict": {*ROOT, "nn", "training", "data", "evaluation"},
    "interop": {*ROOT, "nn", "training", "data", "evaluation"},
    "lesson": {"errors", "files"},
    "planning": {*ROOT, "nn", "data", "predict"},
    "opening": {"errors", "files", "lock", "planning", "progress"},
    "closing": {"errors", "files", "lock", "evaluation", "planning"},
}
# The only places where these packages are imported, and so where they are needed.
USERS = {
    "matplotlib": {
        f"evaluation/{name}.py"
        for name in (
            "figures",
            "plots",
            "parity_plot",
            "sweep_plots",
            "search_plots",
            "explanation_plots",
            "comparison_plots",
        )
    },
    "requests": {"data/sources.py", "interop/publish.py"},
    "mlflow": {"interop/publish.py"},
    "pooch": {"data/sources.py"},
    "jsonschema": {"planning/schema.py"},
    "tensorflow": {"interop/keras_model.py", "interop/keras_training.py"},
    "onnx": {"interop/export.py", "interop/onnx_graph.py"},
    "nbconvert": {"lesson.py"},
    "nbclient": {"lesson.py"},
    "PIL": {"data/image_reader.py"},
    "snakemake": {"opening.py"},
    "snakefresh": {"job.py", "planning/new_results.py", "planning/stored_runs.py"},
    "tqdm": {"progress.py"},
    "threadpoolctl": {"training/environment.py", "training/segments.py"},
    "yaml": {
        "planning/yaml_file.py",
        "planning/schema.py",
        "planning/settings.py",
        "planning/stored_runs.py",
    },
}
# The order that snakefmt gives them. Rules that are never submitted have no resources.
DIRECTIVES = ("input", "output", "params", "message", "script")
SUBMITTED = ("preprocess", "train", "check_parity")


def imports(path):
    """The dotted names of all that a Python file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own_imports(path):
    """What a module imports of the library, as tuples: ("nn", "layers", "Dense")."""
    return {tuple(name.split(".")[1:]) for name in imports(path) if name.startswith("scratchnet.")}


def place(path):
    """The package of a module, or its name if it lies in the root."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def test_every_package_has_its_directions():
    assert {place(path) for path in MODULES} - {"__init__"} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_imports_go_in_one_direction(path):
    here = place(path)
    for package, *_ in own_imports(path):
        assert package == here or package in MAY_IMPORT[here], (
            f"{here} must not import scratchnet.{package}: see MAY_IMPORT"
        )


def test_the_directions_have_no_circle():
    left = dict(MAY_IMPORT)
    while left:
        lowest = {name for name, others in left.items() if left.keys().isdisjoint(others)}
        assert lowest, f"a circle among {', '.join(left)}"
        left = {name: others for name, others in left.items() if name not in lowest}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name == "__init__.py"], ids=place
)
def test_importing_a_package_imports_nothing_else(path):
    assert path.read_text() == ""


@pytest.mark.parametrize("path", sorted((LIBRARY / "nn").glob("*.py")), ids=lambda path: path.stem)
def test_the_network_needs_numpy_and_itself_only(path):
    packages = {name.split(".")[0] for name in imports(path)} - STANDARD
    assert packages <= {"numpy", "scratchnet"}


def lines_of_code(path):
    """The lines of a module without docstrings, comments and blank lines."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            del node.body[0]
    return sum(bool(line) for line in ast.unparse(tree).splitlines())


def test_the_network_can_be_read_in_one_sitting():
    assert sum(map(lines_of_code, (LIBRARY / "nn").glob("*.py"))) <= 650


@pytest.mark.parametrize(("package", "users"), USERS.items(), ids=USERS)
def test_heavy_packages_stay_where_they_are_needed(package, users):
    importing = {
        path.relative_to(LIBRARY).as_posix()
        for path in MODULES
        if package in {name.split(".")[0] for name in imports(path)}
    }
    assert importing == users


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_scripts_are_thin_and_traced_from_their_first_import_to_their_end(script):
    source = script.read_text()
    assert "snakemake.config" not in source
    assert not any(isinstance(n, ast.FunctionDef | ast.If) for n in ast.walk(ast.parse(source)))
    first, *_, last = [node for node in ast.parse(source).body[1:]]
    assert ast.unparse(first) == "from snakefresh import recorded"
    assert ast.unparse(last).startswith(
        "with stage_job(snakemake), recorded(snakemake) as settings:"
    )


def rules():
    """The indented text below each `rule NAME:`, by name."""
    text = "\n".join(path.read_text() for path in sorted(RULES.glob("*.smk")))
    pattern = r"^(?:rule|checkpoint) (\w+):\n((?:(?: +.*)?\n)+)"
    return dict(re.findall(pattern, text + "\n", re.MULTILINE))


def test_each_script_has_its_rule_and_its_settings():
    assert set(rules()) == set(READS) == {path.stem for path in SCRIPTS.glob("*.py")}


@pytest.mark.parametrize(("name", "text"), rules().items(), ids=rules().keys())
def test_rules_have_every_directive_in_one_order(name, text):
    found = re.findall(r"^    (\w+):", text, re.MULTILINE)
    # What is submitted asks for more at each attempt; what is not needs no resources.
    extra = {"resources"} if name in SUBMITTED else {"localrule"}
    extra |= {"threads"} if name == "train" else set()
    known = [directive for directive in found if directive not in extra]
    assert known == [each for each in DIRECTIVES if each in known]
    assert {"output", "message", "script", *extra} <= {*found}
    if name in SUBMITTED:
        for resource in ("mem_mb", "runtime", "disk_mb"):
            assert f"        {resource}=per_attempt(" in text
    assert "{params.why}" in text
    assert f"../scripts/{name}.py" in text


HELPERS = ("common.smk", "promotion.smk", "targets.smk", "reporting.smk")


@pytest.mark.parametrize("path", sorted(RULES.glob("*.smk")), ids=lambda path: path.stem)
def test_a_rule_file_holds_rules_or_functions(path):
    text, has_functions = path.read_text(), path.name in HELPERS
    assert bool(re.search(r"^rule ", text, re.MULTILINE)) != has_functions
    assert bool(re.search(r"\b(def|lambda)\b", text)) == has_functions


def test_only_one_place_knows_the_layout_of_results():
    for path in [*RULES.glob("*.smk"), *LIBRARY.rglob("*.py"), *SCRIPTS.glob("*.py")]:
        if path.name != "paths.py":
            found = re.findall(r"""["']results/(?!report\.html)[^"']*["']""", path.read_text())
            assert not found, f"{path.name} has {found}: take it from planning/paths.py"


@pytest.mark.parametrize("name", sorted(rules()))
def test_each_plot_has_a_caption(name):
    if name.startswith("plot_"):
        caption = CHECKOUT / f"workflow/report/{name.removeprefix('plot_')}.rst"
        assert caption.is_file(), f"add {caption.relative_to(CHECKOUT)}: how to read the plot"


def test_requirements_name_no_host():
    for path in CHECKOUT.glob("requirements/*"):
        assert not re.search(r"://|--(extra-)?index-url|--find-links", path.read_text()), path


def pinned_names():
    pins = (CHECKOUT / "requirements/pins.txt").read_text()
    return re.findall(r"^([\w.-]+)==", pins, re.MULTILINE)


def test_each_pinned_package_accepts_the_oldest_python():
    names = set(pinned_names())
    installed = {canonicalize_name(each.name): each for each in metadata.distributions()}
    found = {name: installed[name].metadata["Requires-Python"] for name in names & installed.keys()}
    assert len(found) > 100
    refusing = {name for name, spec in found.items() if spec and "3.11.0" not in SpecifierSet(spec)}
    assert refusing == set(), "say in pyproject.toml which versions of them do"


def test_each_package_has_one_version_for_all_versions_of_python():
    """With two of NumPy, results could differ from Python to Python."""
    names = pinned_names()
    assert {name for name in names if names.count(name) > 1} == set()


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
