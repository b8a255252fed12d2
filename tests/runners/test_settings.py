import pytest

from runners.engines import engine_of
from runners.names import EngineName
from runners.settings import EngineSettings, WorkerSettings


def test_workers_come_from_one_place():
    with pytest.raises(ValueError, match="not from command and image"):
        WorkerSettings(command="boot", image="registry/image")


def test_an_environment_belongs_to_a_command():
    with pytest.raises(ValueError, match="name the command too"):
        WorkerSettings(environment="/venv")


@pytest.mark.parametrize("name", EngineName)
def test_every_name_has_an_engine(name):
    engine = engine_of(EngineSettings(name))
    assert isinstance(engine.problems(), list)


def test_the_local_runner_refuses_the_address_of_a_cluster():
    (problem,) = engine_of(EngineSettings(url="127.0.0.1:8081")).problems()
    assert "name the cluster's engine by --runner" in problem
