from tests.transforms.trace.plans.builders import repository
from transforms.trace.plans.services import circleci_jobs, gitlab_jobs, travis_jobs


def test_gitlab_jobs_have_what_they_extend():
    text = """\
    image: python:3.11
    before_script: [pip install .]
    .base:
      variables: {TZ: UTC}
      script: &run [pytest]
    unit:
      extends: .base
      image: {name: "registry.example/python:3.12-slim"}
    other:
      script: [*run, [echo]]
    """
    unit, other = gitlab_jobs(repository({".gitlab-ci.yml": text}))
    assert unit.steps[0].text == "pip install .\npytest"
    assert unit.environment == {"TZ": "UTC"}
    assert (unit.interpreters, other.interpreters) == (("3.12",), ("3.11",))
    assert other.steps[0].text == "pip install .\npytest\necho"


def test_jobs_that_extend_each_other_end():
    text = "a: {extends: b, script: x}\nb: {extends: a}"
    assert [job.name for job in gitlab_jobs(repository({".gitlab-ci.yml": text}))] == ["a", "b"]


def test_travis_has_a_common_job_and_those_of_its_matrix():
    text = """\
    python: [3.8, "3.10", pypy3]
    env: [A=1, "TZ='UTC' B=2"]
    install: pip install .[test]
    script: pytest
    matrix:
      include:
        - {python: 3.11, env: TOXENV=lint, script: tox}
        - {python: 3.12}
    """
    common, lint = travis_jobs(repository({".travis.yml": text}))
    assert common.steps[0].text == "pip install .[test]\npytest"
    assert common.environment == {"TZ": "UTC", "B": "2"}
    assert {*common.interpreters} == {"3.8", "3.10", "3.11", "3.12"}
    assert lint.environment["TOXENV"] == "lint"


def test_circleci_jobs_have_steps_images_and_commands():
    text = """\
    commands:
      setup: {steps: [{run: pip install .}]}
    jobs:
      test:
        docker: [{image: "cimg/python:3.10"}]
        environment: {TZ: UTC}
        steps:
          - checkout
          - setup
          - run: {command: pytest, working_directory: tests, environment: {A: b}}
          - run: x << parameters.y >>
    """
    (job,) = circleci_jobs(repository({".circleci/config.yml": text}))
    assert [step.text for step in job.steps] == ["pip install .", "pytest", "x $UNKNOWN"]
    assert (job.steps[1].directory, job.steps[1].environment) == ("tests", {"A": "b"})
    assert job.interpreters == ("3.10",)


def test_other_shapes_of_documents_have_no_jobs():
    for text in ("[]", "jobs: [a]", "jobs: {a: b}", "a: 1", "", "script: {a: b}"):
        each = {".gitlab-ci.yml": text, ".travis.yml": text, ".circleci/config.yml": text}
        for jobs in (gitlab_jobs, travis_jobs, circleci_jobs):
            list(jobs(repository(each)))
