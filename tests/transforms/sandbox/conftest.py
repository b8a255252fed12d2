"""What tests of the sandbox share."""

import pytest

from tests.transforms.tiers import missing
from transforms.sandbox.limits import Tier


@pytest.fixture(scope="module", params=Tier)
def tier(request: pytest.FixtureRequest) -> Tier:
    """Each tier that this machine offers."""
    if reason := missing(request.param):
        pytest.skip(reason)
    return request.param
