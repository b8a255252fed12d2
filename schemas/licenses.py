"""Classes of licenses: what they ask of those who pass the work on."""

from __future__ import annotations

from enum import StrEnum


class LicenseClass(StrEnum):
    """What a license asks in return, from the least to the most that can be said of it."""

    NONE = "none"
    """No license was found."""
    PERMISSIVE = "permissive"
    """Notices at most; public domain dedications are here too."""
    WEAK_COPYLEFT = "weak_copyleft"
    """Changes to the work itself stay under its license (LGPL, MPL, EPL)."""
    STRONG_COPYLEFT = "strong_copyleft"
    """Whatever is made from the work is under its license (GPL, AGPL)."""
    UNKNOWN = "unknown"
    """A license that is in none of these classes: custom, proprietary, non-commercial."""
