"""From lifted functions and recorded calls to problems with tests, verified by replays."""

from transforms.trace.verification.benchmarks import (
    BenchmarkCall,
    BenchmarkProblem,
    benchmark_problems,
    humaneval_problems,
    literal_calls,
    problems_from_json,
    problems_to_json,
)
from transforms.trace.verification.contamination import Benchmarks, Likeness, Match
from transforms.trace.verification.duplicates import (
    Fingerprints,
    fingerprints,
)
from transforms.trace.verification.results import Evidence, Rejected, VerificationReason, Verified
from transforms.trace.verification.verifier import Verifier

__all__ = [
    "BenchmarkCall",
    "BenchmarkProblem",
    "Benchmarks",
    "Evidence",
    "Fingerprints",
    "Likeness",
    "Match",
    "Rejected",
    "VerificationReason",
    "Verified",
    "Verifier",
    "benchmark_problems",
    "fingerprints",
    "humaneval_problems",
    "literal_calls",
    "problems_from_json",
    "problems_to_json",
]
