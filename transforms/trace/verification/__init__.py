"""From lifted functions and recorded calls to problems with tests, verified by replays."""

from transforms.trace.verification.results import Evidence, Rejected, VerificationReason, Verified
from transforms.trace.verification.verifier import Verifier

__all__ = ["Evidence", "Rejected", "VerificationReason", "Verified", "Verifier"]
