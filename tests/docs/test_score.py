"""docs/score.md and docs/sandbox.md: the session is real, limits and verdicts are all there."""

import re
from dataclasses import fields
from pathlib import Path

from pipeline.score_options import LEAST_OPEN_FILES
from schemas.results import OUTCOME
from schemas.verdicts import Verdict
from tests.pipeline.scores import need
from tests.pipeline.test_commands import call
from transforms.execute.samples import iterate_samples
from transforms.sandbox.limits import Limits, Tier

DOCS = Path(__file__).parents[2] / "docs"
SCORE, SANDBOX = (DOCS / name for name in ("score.md", "sandbox.md"))


def rows(page: Path, title: str) -> list[list[str]]:
    """The cells of the first table behind a text, without its head."""
    text = page.read_text()
    lines = text[text.index(title) :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|---"))
    table = []
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def test_the_session_is_what_is_printed(tmp_path, monkeypatch):
    need(Tier.NAMESPACES)
    monkeypatch.chdir(tmp_path)
    (session,) = re.findall(r"```text\n(.*?)```", SCORE.read_text(), re.DOTALL)
    expected = [line for line in session.splitlines() if not line.startswith("score  ")]
    found = []
    for line in [each for each in expected if each.startswith("$ ")]:
        said = call(*line.removeprefix("$ repomill ").split()).stdout
        found += [line, *(each.rstrip() for each in said.splitlines())]
    squeezed = [line for line in found if line]
    assert squeezed == [line for line in expected if line]


def test_limits_have_their_defaults_and_verdicts():
    table = rows(SANDBOX, "## Limits")
    defaults = {
        f"`{field.name}`": str(getattr(Limits(), field.name)).lower() for field in fields(Limits)
    }
    assert {name: default for name, default, *_ in table} == defaults
    verdicts = {verdict.strip("`") for *_, verdict in table}
    assert verdicts <= set(Verdict)
    assert f"at least {LEAST_OPEN_FILES}" in next(of for name, _, of, _ in table if "open" in name)


def test_every_tier_has_a_row():
    assert [name for name, *_ in rows(SANDBOX, "## Tiers")] == list(Tier)


def test_every_verdict_and_field_of_a_result_has_a_row():
    fields_, verdicts = rows(SCORE, "## Results"), rows(SCORE, "| verdict | |")
    assert [name.strip("`") for name, *_ in fields_] == OUTCOME.names
    assert [name.strip("`") for name, *_ in verdicts] == list(Verdict)


def test_the_fields_of_a_sample_are_those_that_are_read(tmp_path):
    names = [name.strip("`") for name, *_ in rows(SCORE, "## Samples")]
    path = tmp_path / "s.jsonl"
    values = ['"p"', '"x"', *(str(number) for number in range(1, len(names) - 1))]
    pairs = ", ".join(f'"{name}": {value}' for name, value in zip(names, values, strict=True))
    path.write_text(f"{{{pairs}}}\n")
    (sample,) = iterate_samples(path)
    assert [getattr(sample, name) for name in names] == ["p", "x", 1.0, 2, 3.0, 4.0]
