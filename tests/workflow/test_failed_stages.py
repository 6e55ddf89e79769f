"""Every stage that fails runs again until it succeeds."""

import pytest

from expected import AUGMENTED, COMPARISON, ON_REQUEST, SEARCH
from failing import fail_and_repeat
from scratchnet.planning.stages import STAGES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stage", STAGES)
def test_a_failed_stage_runs_again_until_it_succeeds(request, stage):
    kinds = {
        **dict.fromkeys(AUGMENTED, "deep_project"),
        **dict.fromkeys(COMPARISON, "sweep_project"),
        **dict.fromkeys(SEARCH, "search_project"),
        **dict.fromkeys(ON_REQUEST, "project_on_request"),
    }
    fail_and_repeat(request.getfixturevalue(kinds.get(stage, "project")), stage)
