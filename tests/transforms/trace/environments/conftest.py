"""What tests of environments share: no settings of this machine, and workplaces on it."""

from __future__ import annotations

import pytest

from tests.index_server import (  # noqa: F401 - fixtures
    hosts_that_were_left_alone,
    index,
    no_settings_of_this_machine,
)
from tests.transforms.trace.environments.stand_in import BareWorkplace
from transforms.trace.environments.workplaces import prepare_folders
from transforms.web.retries import Retries


@pytest.fixture
def workplace(tmp_path):
    """An empty place of a project, its folders made."""
    place = BareWorkplace(tmp_path / "workplace")
    place.outside.mkdir()
    prepare_folders(place.outside)
    return place


@pytest.fixture
def impatient():
    """Retries that do not wait."""
    return Retries(sleep=lambda seconds: None)
