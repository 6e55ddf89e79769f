"""What surrounds a job: its record, and the refusal to do something else than what was planned."""

import json
import sys
import time
from threading import Timer
from types import SimpleNamespace

import pytest

from scratchnet.fingerprint.code import Library
from scratchnet.fingerprint.jobs import PlanError, recorded
from scratchnet.fingerprint.records import read_record, record_path, write_record
from scratchnet.fingerprint.values import canonical, digest

SETTINGS = {"rate": 0.5}
FILES = {
    "fit.py": "def run():\n    import shop.late\n\n\nimport shop.early\n",
    "shop/__init__.py": "",
    "shop/early.py": "",
    "shop/late.py": "",
    "shop/unused.py": "",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A script and its package `shop`, which can be imported, and a folder for results."""
    for name, text in FILES.items():
        path = tmp_path / "scripts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "results").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "scripts")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


@pytest.fixture
def plan(folder):
    """A function that plans a job; returns what its script would find as `snakemake`."""

    def make(made_from=None, latency_wait=0):
        code = Library(folder / "scripts", ("shop",)).read_code("fit.py")
        fingerprint = {"after": None, "code": code.parts, "settings": SETTINGS}
        planned = {
            "text": canonical(fingerprint),
            "files": code.files,
            "packages": ("shop",),
            "made_from": made_from or {},
            "latency_wait": latency_wait,
        }
        return SimpleNamespace(
            params=SimpleNamespace(fingerprint=planned),
            output=[str(folder / "results/weights.npz"), str(folder / "results/weights.json")],
            scriptdir=str(folder / "scripts"),
        )

    return make


def record_of(job):
    """The text in the record of a job, or None."""
    return read_record(record_path(job.output[0]))


def refused(job, message):
    """Assert that a job is refused before its block, with this in the message, and unrecorded."""
    ran = []
    with pytest.raises(PlanError, match=message), recorded(job):
        ran.append(True)
    assert not ran
    assert record_of(job) is None


# ---- The record.


def test_the_job_gets_its_fingerprint(plan):
    job = plan()
    with recorded(job) as fingerprint:
        assert fingerprint == json.loads(job.params.fingerprint["text"])
        assert fingerprint["settings"] == SETTINGS


def test_after_success_the_record_beside_the_first_output_has_the_text_as_it_was_planned(plan):
    job = plan()
    with recorded(job):
        pass
    assert record_of(job) == job.params.fingerprint["text"]
    assert read_record(record_path(job.output[1])) is None


def test_there_is_no_record_before_the_end(plan):
    job = plan()
    with recorded(job):
        assert record_of(job) is None
    assert record_of(job) is not None


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_job_that_fails_leaves_no_record(plan, error):
    job = plan()
    with pytest.raises(error), recorded(job):
        raise error
    assert record_of(job) is None


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_old_record_is_deleted_before_the_job_begins(plan, error):
    job = plan()
    write_record(record_path(job.output[0]), job.params.fingerprint["text"])
    with pytest.raises(error), recorded(job):
        assert record_of(job) is None
        raise error
    assert record_of(job) is None


def test_an_old_record_does_not_survive_a_refusal(plan, folder):
    job = plan()
    write_record(record_path(job.output[0]), "old")
    (folder / "scripts/fit.py").unlink()
    refused(job, "fit.py")


# ---- The code.


@pytest.mark.parametrize("name", ["fit.py", "shop/__init__.py", "shop/early.py", "shop/late.py"])
def test_code_that_changed_since_planning_is_refused_by_name(plan, folder, name):
    job = plan()
    (folder / "scripts" / name).write_text("# Edited.\n")
    refused(job, rf"^{name} changed after this run was planned\. Run the command again\.$")


def test_code_that_is_gone_is_refused_by_name(plan, folder):
    job = plan()
    (folder / "scripts/shop/late.py").unlink()
    refused(job, "^shop/late.py changed after this run was planned")


def test_all_files_that_changed_are_named(plan, folder):
    job = plan()
    for name in ("early", "late"):
        (folder / f"scripts/shop/{name}.py").write_text("# Edited.\n")
    with pytest.raises(PlanError) as caught, recorded(job):
        pass
    assert {"shop/early.py", "shop/late.py"} <= set(str(caught.value).replace(",", "").split())


def test_a_change_of_code_that_the_job_does_not_use_is_none(plan, folder):
    job = plan()
    (folder / "scripts/shop/unused.py").write_text("# Edited.\n")
    with recorded(job):
        pass
    assert record_of(job)


def test_modules_that_are_imported_before_and_in_the_job_are_checked_and_right(plan):
    import shop.early

    job = plan()
    with recorded(job):
        import shop.late
    assert shop.early and shop.late
    assert record_of(job)


def test_a_module_from_elsewhere_is_refused(plan, folder, monkeypatch):
    elsewhere = folder / "elsewhere"
    (elsewhere / "shop").mkdir(parents=True)
    for name in ("__init__", "early"):
        (elsewhere / f"shop/{name}.py").touch()
    monkeypatch.syspath_prepend(elsewhere)
    import shop.early  # noqa: F401

    refused(plan(), rf"^shop was imported from {elsewhere}/shop/__init__\.py, not from {folder}/")


def test_a_module_from_elsewhere_that_is_imported_in_the_job_leaves_no_record(plan, folder):
    import shop

    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "late.py").touch()
    job = plan()
    with pytest.raises(PlanError, match=f"shop.late was imported from {elsewhere}"), recorded(job):
        shop.__path__.insert(0, str(elsewhere))
        import shop.late
    assert record_of(job) is None


def test_an_imported_module_that_no_statement_names_is_refused(plan):
    import shop.unused  # noqa: F401

    refused(plan(), "^shop.unused was imported, but no import statement names it$")


def test_an_import_in_the_job_that_no_statement_names_leaves_no_record(plan):
    job = plan()
    with pytest.raises(PlanError, match=r"^shop\.unused was imported, but no"), recorded(job):
        import shop.unused  # noqa: F401
    assert record_of(job) is None


def test_a_module_that_changed_before_the_job_imported_it_leaves_no_record(plan, folder):
    job = plan()
    with pytest.raises(PlanError, match=r"^shop/late\.py changed after"), recorded(job):
        (folder / "scripts/shop/late.py").write_text("# Edited.\n")
        import shop.late  # noqa: F401
    assert record_of(job) is None


def test_what_changes_after_it_was_imported_does_not_matter_to_this_job(plan, folder):
    import shop.early  # noqa: F401

    job = plan()
    with recorded(job):
        (folder / "scripts/shop/early.py").write_text("# Edited.\n")
    assert record_of(job)


def test_a_folder_of_scripts_may_be_reached_by_a_link(plan, folder, monkeypatch):
    (folder / "link").symlink_to("scripts")
    monkeypatch.syspath_prepend(folder / "link")
    import shop.early  # noqa: F401

    job = plan()
    job.scriptdir = str(folder / "link")
    with recorded(job):
        pass
    assert record_of(job)


# ---- What the job starts from.


@pytest.fixture
def earlier(folder):
    """The record of the result that the job starts from."""
    path = record_path(folder / "results/arrays.npy")
    write_record(path, "as planned")
    return path


def test_a_job_runs_if_what_it_starts_from_is_as_planned(plan, earlier):
    job = plan({str(earlier): digest("as planned")})
    with recorded(job):
        pass
    assert record_of(job)


def test_a_job_is_refused_if_what_it_starts_from_was_made_otherwise(plan, earlier):
    job = plan({str(earlier): digest("otherwise")})
    refused(job, f"^the result beside {earlier} was made with other settings or code than planned")


def test_a_job_is_refused_if_what_it_starts_from_has_no_record(plan, earlier):
    earlier.unlink()
    refused(plan({str(earlier): digest("as planned")}), f"^the result beside {earlier} was made")


def test_each_result_that_a_job_starts_from_is_checked(plan, earlier, folder):
    other = record_path(folder / "results/labels.npy")
    made_from = {str(earlier): digest("as planned"), str(other): digest("as planned")}
    refused(plan(made_from), f"^the result beside {other} was made")
    write_record(other, "as planned")
    with recorded(plan(made_from)):
        pass


def test_a_record_that_a_file_system_shows_late_is_waited_for(plan, earlier):
    earlier.unlink()
    job = plan({str(earlier): digest("as planned")}, latency_wait=20)
    timer = Timer(0.3, write_record, (earlier, "as planned"))
    timer.start()
    started = time.monotonic()
    with recorded(job):
        pass
    timer.join()
    assert record_of(job)
    assert time.monotonic() - started < 10


def test_it_is_waited_no_longer_than_planned(plan, earlier):
    started = time.monotonic()
    refused(plan({str(earlier): digest("otherwise")}, latency_wait=0.5), "the result beside")
    assert 0.5 < time.monotonic() - started < 10
