"""Every stage that fails runs again until it succeeds."""

import pytest

from expected import COMPARISON, ON_REQUEST
from failing import fail_and_repeat
from scratchnet.planning.stages import STAGES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stage", STAGES)
def test_a_failed_stage_runs_again_until_it_succeeds(request, stage):
    kind = "sweep_project" if stage in COMPARISON else "project"
    fail_and_repeat(
        request.getfixturevalue("project_on_request" if stage in ON_REQUEST else kind), stage
    )
