"""Lifting functions out of their repositories into standalone programs."""

from transforms.trace.lifting.entries import Located
from transforms.trace.lifting.modules import Sources
from transforms.trace.lifting.programs import lift
from transforms.trace.lifting.results import Lifted, LiftReason, Rejected

__all__ = ["Lifted", "LiftReason", "Located", "Rejected", "Sources", "lift"]
