import json

import pytest

from pipeline.errors import UsageError
from pipeline.problem_files import check_sets, pass_rates_of
from pipeline.tracing_settings import Collect
from transforms.collect.pass_rates import PassRates


def test_results_of_a_score_become_pass_rates(tmp_path):
    path = tmp_path / "samples_results.jsonl"
    rows = [{"task_id": "a", "verdict": verdict} for verdict in ("passed", "failed")]
    path.write_text("\n".join(map(json.dumps, rows)))
    collect = Collect.model_validate({"pass_rates": {"results": str(path), "most": 0.9}})
    assert pass_rates_of(collect) == PassRates({"a": 0.5}, 0.0, 0.9)
    assert pass_rates_of(Collect()) is None


@pytest.mark.parametrize("content", ["{}\n", "[]", "x"])
def test_files_that_are_none_are_told_with_their_key(tmp_path, content):
    path = tmp_path / "some.jsonl"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"collect\.sets: .*some\.jsonl"):
        check_sets(Collect(sets=(str(path),)))
    collect = Collect.model_validate({"pass_rates": {"results": str(path)}})
    with pytest.raises(UsageError, match=r"collect\.pass_rates\.results: .*some\.jsonl"):
        pass_rates_of(collect)
