import pytest

from transforms.trace.plans.variables import VariableRule, refused_variable


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("PATH", "x", VariableRule.LOADER),
        ("LD_PRELOAD", "x", VariableRule.LOADER),
        ("PYTHONHOME", "x", VariableRule.INTERPRETER),
        ("PYTHONWARNINGS", "error", VariableRule.INTERPRETER),
        ("PIP_INDEX_URL", "x", VariableRule.TOOL),
        ("https_proxy", "x", VariableRule.TOOL),
        ("REPOMILL_TRACE", "x", VariableRule.TOOL),
        ("PYTEST_ADDOPTS", "-x", VariableRule.TOOL),
        ("MY_TOKEN", "x", VariableRule.SECRET),
        ("X", "${{ secrets.X }}", VariableRule.COMPUTED),
        ("X", "a\0b", VariableRule.COMPUTED),
        ("X", "a" * 5_000, VariableRule.LENGTH),
        ("X-Y", "x", VariableRule.NAME),
        ("PYTHONPATH", "src:../x", VariableRule.OUTSIDE),
    ],
)
def test_harmful_variables_are_refused_by_a_named_rule(name, value, rule):
    assert refused_variable(name, value) is rule


@pytest.mark.parametrize(
    ("name", "value"), [("TZ", "UTC"), ("PYTHONPATH", "src"), ("PYTHONHASHSEED", "0"), ("X", "")]
)
def test_harmless_variables_are_given(name, value):
    assert refused_variable(name, value) is None
