"""Environment variables of a configuration: which of them a test run may have."""

from __future__ import annotations

import re
from enum import StrEnum

from transforms.trace.plans.repository import inside

MAX_VALUE = 1_000


class VariableRule(StrEnum):
    """Why a variable is refused."""

    NAME = "name_is_not_plain"
    LOADER = "changes_what_programs_load"
    INTERPRETER = "changes_the_interpreter"
    TOOL = "is_for_a_tool"
    SECRET = "looks_like_a_secret"  # noqa: S105
    COMPUTED = "value_is_computed"
    LENGTH = "value_is_too_long"
    OUTSIDE = "path_is_outside"


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_LOADER = re.compile(
    r"PATH|LD_.*|DYLD_.*|GCONV_PATH|LOCPATH|NLSPATH|IFS|ENV|BASH.*|SHELL|SHELLOPTS|CDPATH|HOME|"
    r"TMPDIR|TMP|TEMP|USER|LOGNAME|XDG_.*|GIT_.*|SSH_.*|PERL.*|RUBY.*|NODE_.*|JAVA_.*|_JAVA.*"
)
_INTERPRETER = re.compile(
    r"PYTHON(?:HOME|STARTUP|INSPECT|BREAKPOINT|USERBASE|EXECUTABLE|PLATLIBDIR|OPTIMIZE|"
    r"PROFILEIMPORTTIME|TRACEMALLOC|DUMPREFS.*|PYCACHEPREFIX|CASEOK|SAFEPATH|NOUSERSITE|GIL|"
    r"_.*)|VIRTUAL_ENV|CONDA.*"
)
_TOOL = re.compile(
    r"(?:PIP|UV|POETRY|PDM|HATCH|TOX|NOX|CIBW|COVERAGE|COV|CODECOV|COVERALLS|CI|GITHUB|GITLAB|"
    r"RUNNER|ACTIONS|TRAVIS|CIRCLE|REPOMILL|TWINE|CARGO|RUST|DOCKER|PRE_COMMIT|MYPY|SETUPTOOLS|"
    r"PYTEST|NPM|YARN|CCACHE|SCCACHE|BROWSER|DISPLAY|MAKEFLAGS|AWS|AZURE|GOOGLE|GCLOUD|"
    r"FORCE|NO_COLOR|PY_COLORS|TERM|CC|CXX|CFLAGS|CXXFLAGS|LDFLAGS|CPPFLAGS)(?:_.*)?|"
    r"TOXENV|.*_PROXY",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r".*(?:TOKEN|SECRET|PASSW|CREDENTIAL|APIKEY|API_KEY|ACCESS_KEY|PRIVATE).*", re.IGNORECASE
)
_PATHS = "PYTHONPATH"


def refused_variable(name: str, value: str, directory: str = ".") -> VariableRule | None:
    """Why a variable is not given to a test run, None where it is.

    ``PYTHONPATH`` is given where all of it is inside of the repository; warnings that are
    to be errors are not, since the releases installed are not those of the project's time.
    """
    if _NAME.fullmatch(name) is None:
        return VariableRule.NAME
    for pattern, rule in (
        (_LOADER, VariableRule.LOADER),
        (_INTERPRETER, VariableRule.INTERPRETER),
        (_TOOL, VariableRule.TOOL),
        (_SECRET, VariableRule.SECRET),
    ):
        if pattern.fullmatch(name):
            return rule
    if "${{" in value or "$" in value or "`" in value or not value.isprintable():
        return VariableRule.COMPUTED
    if len(value) > MAX_VALUE:
        return VariableRule.LENGTH
    if name == _PATHS and any(inside(each, directory) is None for each in value.split(":")):
        return VariableRule.OUTSIDE
    if name == "PYTHONWARNINGS" and "error" in value:
        return VariableRule.INTERPRETER
    return None
