import yaml

from tests.transforms.trace.plans.builders import repository, workflow
from transforms.trace.plans.github import github_jobs


def jobs(document, more=None):
    text = document if isinstance(document, str) else yaml.safe_dump(document)
    return list(github_jobs(repository({".github/workflows/ci.yml": text, **(more or {})})))


def test_a_job_has_its_steps_lines_versions_and_variables():
    given = workflow("pip install .\npytest", env={"TZ": "UTC"})
    (job,) = github_jobs(repository(given))
    assert job.interpreters == ("3.9", "3.10")
    (step,) = job.steps
    assert step.text.split("\n") == ["pip install .", "pytest"]
    lines = given[".github/workflows/tests.yml"].split("\n")
    assert "pip install ." in lines[step.line - 1]
    assert step.environment == {"TZ": "UTC"}


def test_the_newest_cpython_on_linux_is_chosen_of_a_matrix():
    (job,) = jobs(
        """\
        env: {LEVEL: "${{ matrix.extra }}"}
        jobs:
          t:
            runs-on: ${{ matrix.os }}
            strategy:
              matrix:
                os: [windows-latest, ubuntu-latest]
                python: ["3.8", 3.10, pypy-3.9, 3.15-dev]
                exclude: [{os: ubuntu-latest, python: "3.8"}]
                include: [{os: ubuntu-latest, python: "3.10", extra: full}]
            steps:
              - run: tox -e py${{ matrix.python }} ${{ env.LEVEL }} ${{ secrets.X }}
              - {run: dir, if: "runner.os == 'Windows'"}
              - {run: ls, if: "matrix.os != 'windows-latest'"}
        """
    )
    assert [step.text for step in job.steps] == ["tox -e py3.10 full $UNKNOWN", "ls"]
    assert {*job.interpreters} == {"3.8", "3.10", "3.15"}
    assert job.environment == {"LEVEL": "full"}


def test_jobs_of_other_systems_are_left_out():
    assert jobs({"jobs": {"t": {"runs-on": "windows-latest", "steps": [{"run": "pytest"}]}}}) == []


def test_actions_of_the_repository_are_followed_and_those_that_run_tox():
    action = {
        "inputs": {"what": {"default": "tests"}, "more": {}},
        "runs": {"steps": [{"run": "pytest ${{ inputs.what }} ${{ inputs.more }}"}]},
    }
    steps = [
        {"uses": "./.github/actions/run", "with": {"more": "-s"}},
        {"uses": "someone/tox@v1", "with": {"args": "-e py"}},
    ]
    (job,) = jobs(
        {"jobs": {"t": {"runs-on": "ubuntu-latest", "steps": steps}}},
        {".github/actions/run/action.yml": yaml.safe_dump(action)},
    )
    assert [step.text for step in job.steps] == ["pytest tests -s", "tox -e py"]


def test_what_follows_a_checkout_of_another_project_is_left_out():
    steps = [
        {"run": "a"},
        {"uses": "actions/checkout@v4", "with": {"repository": "x/y"}},
        {"run": "b"},
    ]
    (job,) = jobs({"jobs": {"t": {"runs-on": "ubuntu-latest", "steps": steps}}})
    assert [step.text for step in job.steps] == ["a"]


def test_other_shapes_of_workflows_have_no_steps():
    for text in ("[]", "jobs: [a]", "jobs: {a: b}", "jobs: {a: {steps: [b, {run: [c]}]}}",
                 "jobs: {a: {strategy: {matrix: {x: 1, include: z}}, steps: 3}}"):  # fmt: skip
        assert all(job.steps == () for job in jobs(text))


def test_large_matrices_end():
    axes = {f"a{n}": list(range(20)) for n in range(20)}
    job = {"runs-on": "ubuntu-latest", "strategy": {"matrix": axes}, "steps": [{"run": "pytest"}]}
    assert len(jobs({"jobs": {"t": job}})) == 1
