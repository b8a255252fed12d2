from schemas.results import OUTCOME, RESULTS
from schemas.samples import SAMPLES


def describe(schema):
    return [f"{field.name}: {field.type}" for field in schema]


def test_columns_are_a_contract():
    sample = [
        "task_id: string",
        "completion: string",
        "logprob: double",
        "tokens: int64",
        "temperature: double",
        "back_translation: double",
    ]
    outcome = [
        "verdict: string",
        "reason: string",
        "seconds: double",
        "memory_bytes: int64",
        "tier: string",
    ]
    assert describe(SAMPLES) == sample
    assert describe(OUTCOME) == outcome
    assert describe(RESULTS) == sample + outcome


def test_a_sample_has_a_task_and_a_completion_and_a_result_a_verdict():
    assert [field.name for field in SAMPLES if not field.nullable] == ["task_id", "completion"]
    assert [field.name for field in RESULTS if not field.nullable] == ["verdict"]
