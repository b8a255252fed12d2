"""Functions of all kinds, harmless and hostile, and what becomes of them."""

from __future__ import annotations

import pytest

from tests.transforms.tiers import missing
from tests.transforms.trace.verification.programs import calls, program, run_as_human_eval
from transforms.sandbox.limits import Tier
from transforms.trace.records import Call
from transforms.trace.verification import Rejected, VerificationReason, Verified, Verifier


@pytest.fixture(scope="module")
def verifier():
    if reason := missing(Tier.NAMESPACES):
        pytest.skip(reason)
    with Verifier(Tier.NAMESPACES) as found:
        yield found


def verified(verifier, given, recorded):
    found = verifier.verify(given, recorded)
    assert isinstance(found, Verified), found
    run_as_human_eval(given, found.test)
    return found


def rejected(verifier, given, recorded):
    found = verifier.verify(given, recorded)
    assert isinstance(found, Rejected), found
    return found.reason


NUMBERS = calls((1,), (2,), (3,), (4,))


def test_a_function_becomes_a_problem(verifier):
    given = program(
        "def clamp(value, low, high):\n"
        '    """The nearest number between two others."""\n'
        "# body\n"
        "    if value < low:\n        return low\n    if value > high:\n        return high\n"
        "    return value\n"
    )
    found = verified(verifier, given, calls((5, 0, 3), (-1, 0, 3), (2, 0, 3), (5, 0, 3), (1, 0, 3)))
    assert found.test == (
        "def check(candidate):\n"
        "    assert candidate(5, 0, 3) == 3\n"
        "    assert candidate(-1, 0, 3) == 0\n"
        "    assert candidate(2, 0, 3) == 2\n"
        "    assert candidate(1, 0, 3) == 1\n"
    )
    assert found.chosen == (0, 1, 2, 4)
    evidence = found.evidence
    assert (evidence.calls_traced, evidence.calls_replayed, evidence.calls_tested) == (5, 4, 4)
    assert (evidence.replays_passed, evidence.lines, evidence.lines_covered) == (5, 5, 5)
    assert (evidence.branches, evidence.branches_covered) == (4, 4)
    assert evidence.mutants_tried == 2


def test_calls_are_chosen_for_what_they_cover(verifier):
    given = program(
        "def f(n):\n# body\n    if n == 19:\n        return 'last'\n    return str(n)\n"
    )
    found = verified(verifier, given, calls(*((n,) for n in range(20))))
    assert 19 in found.chosen
    assert len(found.chosen) < 20


def test_exceptions_are_outcomes(verifier):
    given = program(
        "import json\n\n\nclass OddError(ValueError):\n    pass\n\n\n"
        "def f(n):\n# body\n    if n % 2:\n        raise OddError(n)\n"
        "    if n > 3:\n        return json.loads(str(n) + ']')\n    return n\n"
    )
    found = verified(verifier, given, NUMBERS)
    assert "    except OddError:\n" in found.test
    assert "    except json.decoder.JSONDecodeError:\n" in found.test
    with pytest.raises(AssertionError, match="OddError expected"):
        run_as_human_eval(given, found.test, "    return n\n")


def test_what_is_changed_in_place_is_looked_at(verifier):
    given = program("def f(items, more):\n# body\n    items.extend(more)\n    items.sort()\n")
    found = verified(verifier, given, calls(([3], [1]), ([], [2]), ([1, 2], [0, 5])))
    assert "    value = [3]\n    candidate(value, [1])\n    assert value == [1, 3]\n" in found.test


def test_iterators_are_looked_at_as_far_as_they_are_followed(verifier):
    given = program("def f(n):\n# body\n    while True:\n        yield n\n        n += 1\n")
    found = verified(verifier, given, NUMBERS)
    assert "list(itertools.islice(candidate(1), 20)) == [1, 2, 3," in found.test
    finite = program("def f(n):\n# body\n    yield from range(n)\n")
    assert "list(candidate(2)) == [0, 1]" in verified(verifier, finite, NUMBERS).test


def test_objects_of_own_classes_are_arguments_and_values(verifier):
    given = program(
        "class Point:\n"
        "    def __init__(self, x, y):\n        self.x = x\n        self.y = y\n\n"
        "    def moved(self, by):\n# body\n        return Point(self.x + by, self.y + by)\n",
        entry_point="Point.moved",
        receiver=True,
        own_names={"pkg.shapes:Point": "Point"},
    )
    points = [{"call": ["pkg.shapes:Point", [n, 2], {}]} for n in range(3)]
    found = verified(verifier, given, [Call((5,), (), point) for point in points])
    assert "_same(candidate(Point(0, 2), 5), Point(5, 7))" in found.test
    with pytest.raises(AssertionError):
        run_as_human_eval(given, found.test, "        return Point(self.x + by, self.y)\n")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("return [n > 1, n]", "return [int(n > 1), n]"),
        ("return 0.0 * -n", "return 0.0"),
        ("return [float('nan'), n]", "return [0.0, n]"),
        ("return n * 1.0", "return n"),
        ("return frozenset({n})", "return {n}"),
        ("return n > 2", "return int(n > 2)"),
        ("return {'a': (n, True)}", "return {'a': (n, 1)}"),
        ("return n, iter([n])", "return n, iter([n + 1])"),
        ("return bytearray([n])", "return bytes([n])"),
    ],
)
def test_what_python_calls_equal_is_not_always_the_same(verifier, body, wrong):
    given = program(f"def f(n):\n# body\n    {body}\n")
    found = verified(verifier, given, calls((0,), (1,), (2,), (3,)))
    with pytest.raises(AssertionError):
        run_as_human_eval(given, found.test, f"    {wrong}\n")


def test_floats_that_depend_on_the_machine_are_near(verifier):
    given = program("import math\n\n\ndef f(n):\n# body\n    return math.sin(n)\n")
    found = verified(verifier, given, NUMBERS)
    assert "math.isclose(candidate(1), 0.84147" in found.test
    run_as_human_eval(given, found.test, "    return math.sin(n) * (1 + 1e-12)\n")
    with pytest.raises(AssertionError):
        run_as_human_eval(given, found.test, "    return math.sin(n) * (1 + 1e-6)\n")


def test_keywords_and_modules_are_in_the_test(verifier):
    given = program("def f(day, *, plus):\n# body\n    return day.year + plus\n")
    days = [{"call": ["datetime:date", [year, 1, 2], {}]} for year in (1999, 2000, 2001)]
    found = verified(verifier, given, [Call((day,), (("plus", 3),)) for day in days])
    assert "    import datetime\n" in found.test
    assert "candidate(datetime.date(1999, 1, 2), plus=3) == 2002" in found.test


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("", "return list({str(n), 'a', 'b', 'c', 'd'})"),
        ("import time", "return time.time() + n"),
        ("import datetime", "return datetime.date.today().year + n"),
        (
            "import datetime",
            "return (datetime.datetime.now() > datetime.datetime(2000, 1, n)) * n"
            " + datetime.datetime.today().month",
        ),
        ("import random", "return random.random() * n"),
        ("", "return id(object()) + n"),
        ("", "return repr(object()) * n"),
        ("import os", "return os.getcwd() * n"),
        ("import time", "return time.localtime(n * 1000).tm_hour"),
        ("import os", "return os.environ['LC_ALL'] * n"),
        ("import os", "return os.path.expanduser('~') * n"),
        ("seen = []", "seen.append(n)\n    return len(seen)"),
        ("import sys\nsys.count = 0", "sys.count += n\n    return sys.count"),
        ("import uuid", "return uuid.uuid4().hex * n"),
    ],
)
def test_outcomes_that_depend_on_anything_else_are_no_test(verifier, head, body):
    given = program(f"{head}\n\n\ndef f(n):\n# body\n    {body}\n")
    assert rejected(verifier, given, NUMBERS) is VerificationReason.NOT_DETERMINISTIC


def test_what_only_looks_at_the_clock_passes(verifier):
    given = program(
        "import datetime\nfrom datetime import date\n\n\ndef f(n):\n# body\n"
        "    now = datetime.datetime.now()\n    later = now + datetime.timedelta(days=n)\n"
        "    assert isinstance(now, date) and isinstance(datetime.date(1, 1, 1), date)\n"
        "    return (later - now).days, date(2000, 1, n)\n"
    )
    verified(verifier, given, NUMBERS)


@pytest.mark.parametrize(
    "trap",
    [
        "while True: pass",
        "import os; os._exit(0)",
        "import time; time.sleep(30)",
        "x = []\n        while True: x.append('a' * 10000000)",
    ],
)
def test_one_bad_call_does_not_lose_the_others(verifier, trap):
    given = program(f"def f(n):\n# body\n    if n == 2:\n        {trap}\n    return n * n\n")
    found = verified(verifier, given, NUMBERS)
    assert found.chosen == (0, 2, 3)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("while True: pass", VerificationReason.TOO_SLOW),
        ("import os; os._exit(0)", VerificationReason.BREAKS_LIMITS),
        ("raise SystemExit", VerificationReason.NOT_STANDALONE),
        ("return missing(n)", VerificationReason.NOT_STANDALONE),
        ("import no_such_module", VerificationReason.NOT_STANDALONE),
        ("return None.anything", VerificationReason.NOT_STANDALONE),
        ("print(n)", VerificationReason.PRINTS_ONLY),
        ("str(n)", VerificationReason.NO_EFFECT),
        ("return lambda: n", VerificationReason.OPAQUE_OUTCOMES),
        ("return 7", VerificationReason.TRIVIAL),
        ("return n", VerificationReason.TRIVIAL),
        ("raise ValueError(n)", VerificationReason.TRIVIAL),
    ],
)
def test_what_is_wrong_has_a_name(verifier, body, reason):
    given = program(f"def f(n):\n# body\n    {body}\n")
    assert rejected(verifier, given, NUMBERS) is reason


def test_programs_that_do_not_load_are_named(verifier):
    for head in ("1 / 0", "import os; os._exit(0)", "def f(:", "while True: pass"):
        given = program(f"{head}\n\n\ndef f(n):\n# body\n    return n\n")
        assert rejected(verifier, given, NUMBERS) is VerificationReason.DOES_NOT_LOAD


def test_names_that_tests_need_are_not_taken(verifier):
    given = program("def check(n):\n# body\n    return n + 1\n")
    assert rejected(verifier, given, NUMBERS) is VerificationReason.NAME_TAKEN


def test_two_calls_are_enough_only_where_they_cover_all(verifier):
    straight = program("def f(n):\n# body\n    return n + 1\n")
    verified(verifier, straight, calls((1,), (2,)))
    assert rejected(verifier, straight, calls((1,))) is VerificationReason.TOO_FEW_CALLS
    forked = program("def f(n):\n# body\n    if n > 5:\n        return 0\n    return n + 1\n")
    assert rejected(verifier, forked, calls((1,), (2,))) is VerificationReason.TOO_FEW_CALLS


def test_values_that_no_name_reaches_leave_no_calls(verifier):
    given = program("def f(n):\n# body\n    return n + 1\n")
    for tree in ({"name": "pkg:Gone"}, {"call": ["os:system", ["true"], {}]}, {"no": 1}):
        assert rejected(verifier, given, calls((tree,))) is VerificationReason.NO_CALLS


FORGE = """\
import json, os
def say(message):
    data = json.dumps(message).encode()
    os.write(3, len(data).to_bytes(4, "big") + data)


def f(n):
# body
    say({message})
    return n + 1
"""


@pytest.mark.parametrize(
    "message",
    [
        {"at": 0, "value": {"name": "os:system"}, "covered": [[], []]},
        {"at": 0, "value": 5, "covered": [[1] * 10, [[1, 2, 3]]]},
        {"at": 10**30, "value": 5, "covered": [[], []]},
        {"at": 0, "fault": ["late"]},
        {"at": 0, "value": 1, "covered": [[], []], "after": [[7, 1]]},
        {"passed": True, "at": 0},
        {"exception": "MemoryError", "bases": 3},
        [1, 2],
        "x" * 100_000,
    ],
)
def test_answers_that_the_program_writes_itself_do_no_harm(verifier, message):
    given = program(FORGE.replace("{message}", repr(message)))
    found = verifier.verify(given, NUMBERS)
    if isinstance(found, Verified):
        run_silently(given, found.test)


def run_silently(given, test):
    """Without what it writes to the descriptors of this process."""
    run_as_human_eval(
        type(given)(given.entry_point, given.prompt.replace("os.write(3,", "str("), given.body),
        test,
    )


def test_bytes_that_are_no_answer_do_no_harm(verifier):
    for data in (
        "b'\\xff' * 100",
        "b'\\0\\0\\0\\5{{{{{'",
        "b'\\0\\0\\0\\4null'",
        "b'x' * (9 << 20)",
    ):
        given = program(
            f"import os\n\n\ndef f(n):\n# body\n    os.write(3, {data})\n    return n\n"
        )
        assert isinstance(verifier.verify(given, NUMBERS), Rejected)


def test_threads_and_output_do_not_matter(verifier):
    given = program(
        "import sys, threading\n\n\ndef f(n):\n# body\n    found = []\n"
        "    thread = threading.Thread(target=lambda: found.append(n * 2))\n"
        "    thread.start()\n    thread.join()\n    print(n)\n    sys.stderr.write('x')\n"
        "    sys.__stdout__.write('y')\n    return found\n"
    )
    verified(verifier, given, NUMBERS)


def test_the_same_function_gets_the_same_test_every_time(verifier):
    given = program("def f(n):\n# body\n    return {str(n), 'a', 'b'}, {n: [n]}\n")
    first = verifier.verify(given, NUMBERS)
    assert first == verifier.verify(given, NUMBERS)
    assert isinstance(first, Verified)


def test_functions_are_arguments_by_their_source(verifier):
    given = program(
        "def twice(x):\n    return 2 * x\n\n\ndef each(function, values):\n# body\n"
        "    return [function(value) for value in values]\n",
        own_names={"pkg:double": "twice"},
    )
    plus = {"source": ["lambda x: x + n", [["n", 4]]]}
    own = {"source": ["lambda x: -double(x)", [["double", {"name": "pkg:double"}]]]}
    found = verified(
        verifier,
        given,
        calls((plus, [1, 2]), (own, [1, 3]), ({"source": ["lambda x: abs(x)", []]}, [-1])),
    )
    assert found.test == (
        "def check(candidate):\n"
        "    assert candidate((lambda n: lambda x: x + n)(4), [1, 2]) == [5, 6]\n"
        "    assert candidate((lambda double: lambda x: -double(x))(twice), [1, 3]) == [-2, -6]\n"
        "    assert candidate((lambda x: abs(x)), [-1]) == [1]\n"
    )
