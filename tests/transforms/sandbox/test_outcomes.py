import errno
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.sandbox.limits import Limits
from transforms.sandbox.outcomes import (
    Ending,
    describe_exception,
    ending_of_breach,
    ending_of_exception,
    ending_of_status,
)

LIMITS = Limits(cpu_seconds=1.5, wall_seconds=7, memory_bytes=100, output_bytes=10, files=3)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
messages = st.dictionaries(
    st.sampled_from(["exception", "bases", "message", "line", "number"]), anything
)


@given(messages)
def test_whatever_a_program_says_of_an_exception_is_described(message):
    assert ending_of_exception(message) in Ending
    assert isinstance(describe_exception(message), str)


def raised(error):
    names = [kind.__name__ for kind in type(error).__mro__]
    found = {"exception": names[0], "bases": names[1:], "message": str(error)}
    return found | ({"number": error.errno} if isinstance(error, OSError) else {})


class OwnMemoryError(MemoryError):
    pass


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (ValueError("a"), Ending.ERROR),
        (MemoryError(), Ending.MEMORY),
        (OwnMemoryError("full"), Ending.MEMORY),
        (RuntimeError("can't start new thread"), Ending.PROCESSES),
        (RuntimeError("other"), Ending.ERROR),
        (ValueError("can't start new thread"), Ending.ERROR),
        (RecursionError("maximum recursion depth exceeded"), Ending.ERROR),
        (OSError(errno.EAGAIN, "again"), Ending.PROCESSES),
        (OSError(errno.EMFILE, "many"), Ending.OPEN_FILES),
        (OSError(errno.EFBIG, "big"), Ending.FILE_SIZE),
        (OSError(errno.ENOSPC, "full"), Ending.FILES),
        (OSError(errno.ENOMEM, "full"), Ending.MEMORY),
        (FileNotFoundError(errno.ENOENT, "gone"), Ending.ERROR),
        (OSError("no number"), Ending.ERROR),
    ],
    ids=repr,
)
def test_an_exception_tells_which_limit_was_reached(error, ending):
    assert ending_of_exception(raised(error)) is ending


def test_an_exception_is_described_in_a_line():
    assert describe_exception({"exception": "E", "message": "m"}) == "E: m"
    assert describe_exception({"exception": "E", "message": "m", "line": 3}) == "line 3: E: m"
    assert describe_exception({"exception": [1], "line": "x"}) == "(list): (NoneType)"


@pytest.mark.parametrize(
    ("status", "seconds", "ending", "reason"),
    [
        (0, 0.1, Ending.RETURNED, None),
        (1 << 8, 0.1, Ending.ERROR, "exit status 1"),
        (255 << 8, 9.0, Ending.ERROR, "exit status 255"),
        (signal.SIGSEGV, 0.1, Ending.KILLED, "ended by signal SIGSEGV"),
        (signal.SIGSEGV | 0x80, 0.1, Ending.KILLED, "ended by signal SIGSEGV"),
        (signal.SIGKILL, 0.1, Ending.KILLED, "ended by signal SIGKILL"),
        (signal.SIGKILL, 1.5, Ending.TIMEOUT, "more than 1.5 s of CPU time"),
        (signal.SIGXCPU, 0.1, Ending.TIMEOUT, "more than 1.5 s of CPU time"),
        (signal.SIGRTMIN + 5, 0.1, Ending.KILLED, f"ended by signal {signal.SIGRTMIN + 5}"),
    ],
)
def test_a_status_tells_how_a_process_ended(status, seconds, ending, reason):
    assert ending_of_status(status, seconds, LIMITS) == (ending, reason)


@pytest.mark.parametrize(
    ("breach", "ending", "reason"),
    [
        ("timeout", Ending.TIMEOUT, "more than 1.5 s of CPU time"),
        ("wall", Ending.TIMEOUT, "not done after 7 s of waiting"),
        ("memory", Ending.MEMORY, "more than 100 bytes in all processes"),
        ("output", Ending.OUTPUT, "more than 10 bytes of output"),
        ("files", Ending.FILES, "more than 3 files or 67108864 bytes in them"),
    ],
)
def test_a_breach_that_the_server_saw_has_an_ending(breach, ending, reason):
    assert ending_of_breach(breach, LIMITS) == (ending, reason)


def test_the_server_says_gone_to_nobody():
    # The trusted side has left by then, so that nothing comes to have an ending.
    with pytest.raises(KeyError):
        ending_of_breach("gone", LIMITS)
