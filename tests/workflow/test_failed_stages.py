"""Every stage that fails runs again until it succeeds."""

import pytest

from expected import AUGMENTED, COMPARISON, ON_REQUEST, SEARCH
from failing import fail_and_repeat
from project import set_key
from scratchnet.planning.stage_settings import READS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stage", READS)
def test_a_failed_stage_runs_again_until_it_succeeds(request, stage):
    kinds = {
        **dict.fromkeys(COMPARISON, "sweep_project"),
        **dict.fromkeys(SEARCH, "search_project"),
        **dict.fromkeys(ON_REQUEST, "project_on_request"),
    }
    project = request.getfixturevalue(kinds.get(stage, "project"))
    if stage in AUGMENTED:
        set_key(project, "augmentation.shift", 1)
    fail_and_repeat(project, stage)
