"""From lifted functions and recorded calls to problems with tests, verified by replays."""

from transforms.trace.verification.benchmarks import (
    BenchmarkCall,
    BenchmarkProblem,
    humaneval_problems,
    literal_calls,
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
    "fingerprints",
    "humaneval_problems",
    "literal_calls",
]
