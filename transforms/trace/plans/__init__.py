"""From the files of a repository to a plan of how to install and test it."""

from transforms.trace.plans.deriving import derive_plans, has_tests
from transforms.trace.plans.merging import combine
from transforms.trace.plans.plan import (
    CommandKind,
    Evidence,
    Install,
    InstallKind,
    Origin,
    TestCommand,
    TestPlan,
    plan_from_json,
    plan_to_json,
)

__all__ = [
    "CommandKind",
    "Evidence",
    "Install",
    "InstallKind",
    "Origin",
    "TestCommand",
    "TestPlan",
    "combine",
    "derive_plans",
    "has_tests",
    "plan_from_json",
    "plan_to_json",
]
