"""What counts for a stage, told by whole runs: options of `watch`, params, names of files."""

import pytest
from toys import ALL

pytestmark = pytest.mark.slow


def test_the_first_run_and_a_forced_one_say_so(new_toy):
    assert new_toy.run() == dict.fromkeys(ALL, "no result yet")
    assert set(new_toy.plan("--forceall").values()) == {"forced"}
    plan = new_toy.plan("--forcerun", "clean")
    assert (plan["clean"], plan["fit"]) == ("forced", "follows clean")


def test_why_there_is_no_result_can_be_said_in_the_users_words(new_toy):
    watch_option(new_toy, "why_new=lambda rule, wildcards: f'a new {rule}'")
    assert new_toy.plan()["fit"] == "a new fit"


def test_a_file_with_the_name_of_the_rule_is_not_its_script(toy):
    toy.replace("Snakefile", '"scripts/title.py"', '"scripts/heading.py"')
    (toy / "scripts/title.py").rename(toy / "scripts/heading.py")
    toy.run()
    toy.write("scripts/title.py", "unused = 1\n")
    assert toy.plan() == {}
    toy.replace("scripts/heading.py", "{label}", "{label}!")
    assert toy.plans("title", "draw")


def test_a_setting_given_on_the_command_line_counts(toy):
    assert sorted(toy.plan("--config", "degree=2")) == ["draw", "fit"]
    toy.write("more.yaml", "colour: red\n")
    assert sorted(toy.plan("--configfile", "config.yaml", "more.yaml")) == ["draw"]


def watch_option(toy, option):
    toy.replace("Snakefile", "    settings=config,\n", f"    settings=config,\n    {option},\n")


def test_a_param_that_changes_no_result_may_change(toy):
    watch_option(toy, "unaffected_by={'title': ['flavour']}")
    toy.run()
    toy.replace("Snakefile", "flavour=1", "flavour=2")
    assert toy.plan() == {}


@pytest.mark.parametrize(
    ("what", "value", "line"),
    [
        ("threads", "snakemake.threads", "threads: 2"),
        ("resources", "snakemake.resources.mem_mb", "resources: mem_mb=5"),
    ],
)
def test_what_depends_on_the_machine_may_only_be_read_if_it_is_named(toy, what, value, line):
    toy.replace("scripts/title.py", "snakemake.params.flavour", value)
    toy.replace("Snakefile", "rule title:\n", f"rule title:\n    {line}\n")
    assert what in toy.fails("--cores", "2")
    assert toy.plans("title", "draw")
    watch_option(toy, f"unaffected_by={{'title': ['{what}']}}")
    toy.run("--cores", "2")
    toy.replace("Snakefile", line, line[:-1] + "1")
    assert toy.plan("--cores", "2") == {}


def test_environment_variables_count_if_they_are_named(toy):
    watch_option(toy, "environment=['MODE']")
    toy.run(env={"MODE": "a"})
    assert toy.plan(env={"MODE": "a", "OTHER": "b"}) == {}
    assert sorted(toy.plan(env={"MODE": "b"})) == sorted(ALL)


def test_links_that_must_exist_besides_the_outputs(toy):
    watch_option(toy, "links={'title': ['results/link']}")
    toy.append("scripts/title.py", "    os.symlink('.', 'results/link')\n")
    toy.replace("scripts/title.py", "\n\nwith", "\nimport os\n\nwith")
    toy.run()
    assert toy.plan() == {}
    (toy / "results/link").unlink()
    assert "title" in toy.plan("results/title.txt")


@pytest.mark.parametrize(
    ("read", "stages"),
    [("len(snakemake.config)", ["title", "draw"]), ("snakemake.config.get('no', 1)", [])],
)
def test_new_keys_of_the_config_count_for_a_script_that_looks_for_them(toy, read, stages):
    toy.replace("scripts/title.py", 'snakemake.config["label"]', read)
    toy.run()
    toy.set(new=1)
    assert toy.plans(*stages)
    toy.set(no=2)
    assert toy.plans("title", "draw")


SHADOWS = {
    "a standard module": ("scripts/colorsys.py", True),
    "a module of the interpreter's start": ("scripts/sitecustomize.py", True),
    "a package": ("scripts/csv/__init__.py", True),
    "no module": ("scripts/nobody.py", False),
}


@pytest.mark.parametrize(("path", "counts"), SHADOWS.values(), ids=SHADOWS)
def test_a_new_file_that_takes_precedence_counts_for_all(toy, path, counts):
    line = (
        "import os\n\nos.environ['PYTHONPATH'] = "
        'f\'{os.path.abspath("scripts")}:{os.environ["PYTHONPATH"]}\'\n'
    )
    toy.write("Snakefile", line + toy.read("Snakefile"))
    toy.run("--forceall")
    assert toy.plan() == {}
    toy.write(path, "print('here')\n")
    assert toy.plans(*(ALL if counts else ()))
