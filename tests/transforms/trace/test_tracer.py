"""The tracer in real interpreters, under all that test suites do to it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transforms.trace.tracing import MONITORED, PROFILED, VERSIONS, Project, interpreter
from transforms.trace.records import Kind
from transforms.trace.tracer import MODULE, PTH, tracer_files, tracer_source

KINDS = """
import contextlib, functools

def plain(a, b=2, *rest, key=None, **others): return a
def generate(n):
    yield n
    yield n
class Point:
    def __init__(self, x, y=0): self.x, self._y = x, y
    def norm(self, k=1): return k
    @staticmethod
    def static(a): return a
    @classmethod
    def of(cls, a): return cls(a)
    @property
    def area(self): return 1
    def __private(self, z): return z
    def go(self): return self.__private(3)
class Sub(Point):
    pass
def named(function):
    @functools.wraps(function)
    def wrapper(*args): return function(*args)
    return wrapper
def unnamed(function):
    def wrapper(*args): return function(*args)
    return wrapper
@named
def wrapped(x): return x
@unnamed
def hidden(x): return x
@functools.lru_cache()
def cached(x): return x
@contextlib.contextmanager
def managed(x): yield x
def outer(x):
    def inner(y): return y
    def closed(y): return y + x
    return inner(x) + closed(x)
async def wait(x): return x
square = lambda x: [each for each in (x,)]
class Body:
    value = square(3)
"""
CALLS = """
from target import *
plain(1); plain(1, 2); plain(1, 3, 4, key=5, z=6); plain(a=1, key=2)
list(generate(7))
point = Point(1, 2)
point.norm(); point.norm(k=2); Point.static(3); Point.of(4); Sub.of(5); point.area; point.go()
wrapped(1); hidden(2); cached(3)
with managed(4): pass
outer(5)
wait(6).close()
import asyncio, os
os.environ["PYTEST_CURRENT_TEST"] = "another"  # imports are many calls of nothing new
asyncio.run(wait(6))
square(1)
"""


@pytest.fixture(params=[PROFILED, MONITORED])
def python(request):
    return interpreter(request.param)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_python_tells_the_same_of_every_kind_of_function(version, tmp_path):
    project = Project(tmp_path, KINDS)
    project.run(interpreter(version), CALLS, 0, "-Werror")
    found = project.traced()
    kinds = {name: each.function.kind for name, each in found.items() if "<locals>" not in name}
    assert kinds == {
        **dict.fromkeys(("plain", "generate", "named", "unnamed", "outer"), Kind.FUNCTION),
        **dict.fromkeys(("wrapped", "hidden", "cached", "managed"), Kind.FUNCTION),
        **dict.fromkeys(("Point.__init__", "Point.norm", "Point.go"), Kind.METHOD),
        "Point.__private": Kind.METHOD,
        "Point.static": Kind.STATIC_METHOD,
        "Point.of": Kind.CLASS_METHOD,
        "Point.area": Kind.PROPERTY,
        "wait": Kind.COROUTINE,
    }
    decorated = {name for name, each in found.items() if each.function.decorated}
    assert decorated == {"wrapped", "hidden", "cached", "managed"}
    assert {name for name, each in found.items() if each.function.generator} == {
        "generate",
        "managed",
    }
    inner = [each for name, each in found.items() if name.endswith("<locals>.inner")]
    assert [list(call.arguments) for call in inner[0].calls] == [[5]]


@pytest.mark.parametrize("version", VERSIONS)
def test_arguments_are_those_of_the_call_without_defaults(version, tmp_path):
    project = Project(tmp_path, KINDS)
    project.run(interpreter(version), CALLS)
    calls = project.traced()["plain"].calls
    assert [(list(call.arguments), list(call.keywords)) for call in calls] == [
        ([1], []),
        ([1, 3, 4], [("key", 5), ("z", 6)]),
        ([1], [("key", 2)]),
    ]
    (bare, other) = project.traced()["Point.norm"].calls
    receiver = {"call": ["target:Point", [1, 2], {}]}
    assert (bare.receiver, bare.has_receiver, bare.arguments) == (receiver, True, ())
    assert other.arguments == (2,)
    (call,) = project.traced()["Point.of"].calls
    assert (call.arguments, call.has_receiver) == ((4,), False)
    assert project.traced()["Point.of"].opaque == (("subclass", 1),)
    assert project.traced()["generate"].seen == 1


def test_later_changes_of_arguments_do_not_show(python, tmp_path):
    project = Project(tmp_path, "def add(items): items.append(len(items))\n")
    project.run(python, "import target\nx = []\nfor _ in range(3): target.add(x)\n")
    assert project.arguments("add") == [[[]], [[0]], [[0, 1]]]


def test_iterators_are_not_used_up(python, tmp_path):
    project = Project(tmp_path, "def total(values): return sum(values)\n")
    script = """
import target
used = iter([1, 2, 3]); next(used)
assert target.total(used) == 5
assert target.total(map(int, ["4"])) == 4
assert target.total(each for each in (5, 6)) == 11
"""
    project.run(python, script)
    assert project.arguments("total") == [
        [{"call": ["builtins:iter", [[2, 3]], {}]}],
        [
            {
                "call": [
                    "builtins:map",
                    [{"name": "builtins:int"}, {"call": ["builtins:iter", [["4"]], {}]}],
                    {},
                ]
            }
        ],
    ]
    assert project.traced()["total"].opaque == (("generator", 1),)


def test_no_code_of_the_program_runs_for_a_snapshot(python, tmp_path):
    source = """
class Meta(type):
    def __hash__(cls): raise AssertionError("hash of a class")
    def __eq__(cls, other): raise AssertionError("equality of a class")
    def __getattribute__(cls, name): raise AssertionError("attribute of a class")
    def __instancecheck__(cls, other): raise AssertionError("isinstance")
def fails(*arguments): raise AssertionError("called")
class Touchy(metaclass=Meta):
    __slots__ = ("held",)
    def __getattribute__(self, name): fails()
    __repr__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __reduce_ex__ = fails
    __class__ = property(fails)
class Items(dict):
    __iter__ = items = keys = __len__ = __getitem__ = fails
class Text(str):
    __len__ = __str__ = __eq__ = __hash__ = fails
def take(value): return None
"""
    script = """
import target
items = target.Items(); dict.__setitem__(items, 1, 2)
for value in (object.__new__(target.Touchy), target.Touchy, items, target.Text("a"), [items]):
    target.take(value)
"""
    project = Project(tmp_path, source)
    project.run(python, script)
    items = {"call": ["target:Items", [{"dict": [[1, 2]]}], {}]}
    assert project.arguments("take") == [
        [{"call": ["target:Touchy", [], {}]}],
        [{"name": "target:Touchy"}],
        [items],
        [{"call": ["target:Text", ["a"], {}]}],
        [[items]],
    ]


def test_threads_are_traced(python, tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    script = """
import target, threading
threads = [threading.Thread(target=target.take, args=(n,)) for n in range(4)]
[each.start() for each in threads]; [each.join() for each in threads]
"""
    project.run(python, script)
    assert sorted(project.arguments("take")) == [[0], [1], [2], [3]]


def test_a_pause_ends_with_the_next_test(tmp_path):
    source = "def boring(): return None\ndef take(value): return value\n"
    script = """
import os, sys, target
for number in range(3):
    os.environ["PYTEST_CURRENT_TEST"] = "test %d" % number
    for _ in range(20_000): target.boring()
    assert sys.gettrace() is None
    target.take(-1)
    os.environ["PYTEST_CURRENT_TEST"] = "call %d" % number
    target.take(number)
"""
    project = Project(tmp_path, source)
    project.run(interpreter(PROFILED), script)
    assert project.arguments("take") == [[0], [1], [2]]


def test_it_starts_once_where_files_of_paths_are_read_twice(python, tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    (project.site / "sitecustomize.py").write_text(2 * PTH)
    project.run(python, "import target; target.take(1)")
    assert len(list(project.records.iterdir())) == 1


@pytest.mark.parametrize("end", ["os._exit(7)", "os.kill(os.getpid(), 9)", "os.abort()"])
def test_a_sudden_end_loses_no_call(end, python, tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    statuses = {"os._exit(7)": 7, "os.kill(os.getpid(), 9)": -9, "os.abort()": -6}
    script = "import os, resource, target\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
    project.run(python, f"{script}target.take(1)\n{end}\n", statuses[end])
    assert project.arguments("take") == [[1]]


def test_forked_processes_have_their_own_files(python, tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    script = """
import os, target
target.take(0)
for number in (1, 2):
    if not os.fork():
        target.take(number)
        os._exit(0)
    os.wait()
target.take(3)
"""
    project.run(python, script)
    assert len(list(project.records.iterdir())) == 3
    assert sorted(project.arguments("take")) == [[0], [1], [2], [3]]


def test_a_file_of_paths_traces_every_process_of_an_environment(python, tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    home = tmp_path / "environment"
    subprocess.run([python, "-m", "venv", "--without-pip", home], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    for name, text in tracer_files().items():
        (site / name).write_text(text)
    script = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "import target; target.take(sys.argv)"
    .replace("sys.argv", "5")], check=True)
"""
    command = [home / "bin" / "python", "-c", script]
    subprocess.run(command, check=True, cwd=project.folder, env=project.environment())
    assert project.arguments("take") == [[5]]


def test_without_its_variable_nothing_starts(python, tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    script = "import sys, target; target.take(1); assert sys.getprofile() is None"
    environment = {"PYTHONPATH": f"{project.site}:{project.folder}"}
    subprocess.run([python, "-c", script], check=True, env=environment)
    assert list(project.records.iterdir()) == []


def test_a_folder_that_is_not_there_stops_nothing(python, tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    project.records.rmdir()
    assert project.run(python, "import target; print(target.take(1))") == "1\n"


def test_deep_recursion_fails_as_ever_and_tracing_goes_on(python, tmp_path):
    source = """
def down(n): return 0 if n == 0 else 1 + down(n - 1)
def forever(n): return forever(n + 1)
def after(n): return n
"""
    script = """
import sys, target
assert target.down(400) == 400
for _ in range(2):
    try:
        target.forever(0)
    except RecursionError:
        pass
    else:
        raise AssertionError("no error")
open(__file__).close()
target.after(1)
"""
    project = Project(tmp_path, source)
    project.run(python, script)
    assert project.arguments("after") == [[1]]


def test_huge_values_are_left_out(python, tmp_path):
    project = Project(tmp_path, "def take(value): return None\n")
    script = """
import target
nested = []
for _ in range(10_000): nested = [nested]
loop = []; loop.append(loop)
for value in ("x" * 10**7, list(range(10**6)), 1 << 10**6, b"x" * 10**7, nested, loop, "y"):
    target.take(value)
"""
    project.run(python, script)
    assert project.arguments("take") == [["y"]]
    assert project.traced()["take"].opaque == (("deep", 1), ("large", 1))


def test_tracers_of_the_suite_work_beside_it(python, tmp_path):
    script = """
import sys, target
seen = []
def local(frame, event, argument):
    seen.append(event)
    return local
sys.settrace(lambda frame, event, argument: local if "target" in frame.f_code.co_filename else None)
target.take(1)
sys.settrace(None)
assert seen == ["line", "return"], seen
calls = []
sys.setprofile(lambda frame, event, argument: calls.append(event))
target.take(2)
sys.setprofile(None)
assert "call" in calls
open(__file__).close()
target.take(3)
"""
    project = Project(tmp_path, "def take(value): return value\n")
    project.run(python, script)
    values = [value for (value,) in project.arguments("take")]
    assert values in ([1, 3], [1, 2, 3])


def test_it_takes_a_free_tool_where_others_have_theirs(tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    (project.site / "sitecustomize.py").write_text(
        "import sys\nfor tool in (4, 3): sys.monitoring.use_tool_id(tool, 'other')\n"
        f"import {MODULE}; {MODULE}.start_from_environment()\n"
    )
    project.run(interpreter(MONITORED), "import target; target.take(1)")
    assert project.arguments("take") == [[1]]


def test_whatever_a_suite_patches_is_not_used(python, tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    script = """
import builtins, datetime, json, os, sys, time, target
def broken(*arguments, **keywords): raise AssertionError("used")
names = ("len", "repr", "sorted", "hash", "id", "type", "hex", "map", "zip", "str", "enumerate")
target.take(0)
kept = {name: getattr(builtins, name) for name in names}
for name in names: setattr(builtins, name, broken)
json.dumps = json.JSONEncoder.encode = os.write = os.open = os.getpid = time.time = broken
os.fstat = sys._getframe = sys.getrecursionlimit = broken
target.take([1, {2: (3.5, b"x")}, {4}, datetime.date(2020, 1, 2)])
for name in kept: setattr(builtins, name, kept[name])
"""
    project.run(python, script)
    date = {"call": ["datetime:date", [2020, 1, 2], {}]}
    mapping = {"dict": [[2, {"tuple": [3.5, {"bytes": "78"}]}]]}
    assert project.arguments("take") == [[0], [[1, mapping, {"set": [4]}, date]]]


def test_files_closed_by_the_suite_are_opened_anew_and_those_of_others_left_alone(python, tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    script = """
import os, target
target.take(1)
os.closerange(3, 1024)
handles = [os.open("own.txt", os.O_WRONLY | os.O_CREAT) for _ in range(600)]
target.take(2)
assert os.path.getsize("own.txt") == 0
"""
    project.run(python, script)
    assert project.arguments("take") == [[1], [2]]


def test_errors_from_handlers_of_signals_reach_the_suite(python, tmp_path):
    source = "def take(values): return None\n"
    script = """
import signal, sys, target
class Timeout(Exception): pass
def handler(number, frame): raise Timeout
signal.signal(signal.SIGALRM, handler)
values = [list(range(100)) for _ in range(30)]
caught = 0
for number in range(40):
    signal.setitimer(signal.ITIMER_REAL, 0.0005 + number * 0.00002)
    try:
        while True:
            values.append(len(values)); target.take(values); values.pop()
    except Timeout:
        caught += 1
assert caught == 40
"""
    Project(tmp_path, source).run(python, script)


def test_it_is_not_among_the_modules_and_handles_stay_low(python, tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    script = """
import sys, target
target.take(1)
assert not [name for name in sys.modules if "repomill" in name]
print(open(__file__).fileno())
"""
    bare = subprocess.run(
        [python, "-c", f"print(open({__file__!r}).fileno())"], capture_output=True, text=True
    )
    assert project.run(python, script) == bare.stdout


def test_tests_and_what_is_elsewhere_are_not_traced(python, tmp_path):
    project = Project(tmp_path, "import textwrap\ndef take(value): return textwrap.dedent(value)\n")
    for name in ("test_a.py", "conftest.py", "tests/helpers.py", "b_test.py"):
        project.write(name, "def helper(): return 1\n")
    script = """
import os, sys
sys.path.append("tests")
import target, test_a, conftest, helpers, b_test
os.environ["PYTEST_CURRENT_TEST"] = "another"  # imports are many calls of nothing new
target.take("x"), test_a.helper(), conftest.helper(), helpers.helper(), b_test.helper()
"""
    project.run(python, script)
    assert set(project.traced()) == {"take"}


def test_tracing_of_a_function_ends(python, tmp_path):
    source = """
def counts(n): return n
def repeats(n): return n
def hopeless(n): return n
"""
    script = """
import target
for n in range(500): target.counts(n), target.repeats(n % 2), target.hopeless(object())
"""
    project = Project(tmp_path, source)
    project.run(python, script)
    found = project.traced()
    assert {name: (len(each.calls), each.seen) for name, each in found.items()} == {
        "counts": (20, 20),
        "repeats": (2, 32),
        "hopeless": (0, 30),
    }
    assert found["hopeless"].opaque == (("object", 30),)


def test_workers_of_xdist_are_traced(tmp_path):
    project = Project(tmp_path, "def take(value): return value\n")
    tests = "import target\n" + "".join(
        f"def test_{number}(): assert target.take({number}) == {number}\n" for number in range(4)
    )
    project.write("tests/test_take.py", tests)
    paths = {
        "PYTHONPATH": f"{project.site}:{project.folder}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    options = ["-q", "-n", "2", "-p", "xdist", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, "tests"]
    subprocess.run(
        command,
        check=True,
        cwd=project.folder,
        capture_output=True,
        env={**project.environment(), **paths},
    )
    assert sorted(project.arguments("take")) == [[0], [1], [2], [3]]


def test_the_one_file_needs_only_the_standard_library_of_python_38():
    tree = ast.parse(tracer_source(), feature_version=(3, 8))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= sys.stdlib_module_names


def test_the_parts_of_the_one_file_have_no_names_in_common():
    tree = ast.parse(tracer_source())
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names += [each.id for each in targets if isinstance(each, ast.Name)]
    allowed = {"TYPE_CHECKING"}
    assert {name for name in names if names.count(name) > 1} <= allowed
    assert Path(f"{MODULE}.py").name in tracer_files()


MADE = """
class Money:
    def __init__(self, *amounts, unit="eur"):
        self.total, self.kind = sum(amounts), unit.upper()
    def __eq__(self, other): raise AssertionError("equality of the program")
    __hash__ = None
    def show(self, n=0): return self.total
class Index(dict):
    def __init__(self, text):
        self.root = root = []
        root[:] = [root, text]
        dict.__init__(self, enumerate(text))
    def find(self, key): return self[key]
class Node:
    def __init__(self, kind, children=()):
        self.kind, self.children, self.parent = kind, children, None
        self.size, self.level = len(children) + 1, 1
        for child in children: child.parent = self
    def count(self, n): return self.size
class Pair(tuple):
    def __new__(cls, text): return tuple.__new__(cls, text.split())
    def first(self, n): return self[0]
class Broken:
    def __init__(self, n):
        self.half = n // 2
        if n: raise ValueError(n)
    def get(self, n): return self.half
"""


def receivers(project, qualname):
    return [call.receiver for call in project.traced()[qualname].calls]


def test_objects_as_their_constructor_left_them_are_made_by_the_same_call(tmp_path):
    script = """
import target
money = target.Money(1, 2, unit="usd")
money.show(1); money.total = 4; money.show(2); money.total = 3; money.show(3)
index = target.Index("ab"); index.find(0); index[2] = "c"; index.find(2)
target.Pair("a b").first(1)
for n in (1, 0):
    try: target.Broken(n)
    except ValueError: pass
broken = target.Broken(0); broken.get(1); target.Broken.__new__(target.Broken)
"""
    project = Project(tmp_path, MADE)
    project.run(interpreter(MONITORED), script, 0, "-Werror")
    money = {"call": ["target:Money", [1, 2], {"unit": "usd"}]}
    assert receivers(project, "Money.show") == [money, money]
    assert [call.arguments for call in project.traced()["Money.show"].calls] == [(1,), (3,)]
    assert project.traced()["Money.show"].opaque == (("Money", 1),)
    assert receivers(project, "Index.find") == [{"call": ["target:Index", ["ab"], {}]}]
    assert project.traced()["Index.find"].opaque == (("Index", 1),)
    assert receivers(project, "Pair.first") == [{"call": ["target:Pair", ["a b"], {}]}]
    assert receivers(project, "Broken.get") == [{"call": ["target:Broken", [0], {}]}]


def test_objects_that_hold_their_arguments_are_made_of_what_they_hold_now(tmp_path):
    script = """
import target
leaves = [target.Node("a"), target.Node("b")]
top = target.Node("top", leaves)
top.count(0); top.kind = "other"; top.count(1); leaves[0].count(2)
top.level = 2; top.count(3)
"""
    project = Project(tmp_path, MADE)
    project.run(interpreter(MONITORED), script)
    leaves = [{"call": ["target:Node", [each], {}]} for each in "ab"]
    assert receivers(project, "Node.count") == [
        {"call": ["target:Node", ["top", leaves], {}]},
        {"call": ["target:Node", ["other", leaves], {}]},
        leaves[0],
    ]
    assert project.traced()["Node.count"].opaque == (("Node", 1),)


def test_what_is_remembered_keeps_no_object_alive(tmp_path):
    script = """
import gc, target, weakref
money = target.Money([1].pop()); money.show()
gone = weakref.ref(money); del money
gc.collect()
assert gone() is None
"""
    Project(tmp_path, MADE).run(interpreter(MONITORED), script)


def test_functions_of_one_expression_are_told_by_their_source(python, tmp_path):
    script = """
import target, operator as op
def make(n):
    def plus(a):
        return a + n
    def loop(a):
        for each in a: return each
    def yields(a): yield a
    return [plus, (lambda x: x * n), lambda x: (x,
        n), loop, yields]
for function in [*make(4), lambda a: a, lambda a, b=1: a]: target.take(function)
target.take(lambda x: op.neg(abs(x))); target.take(lambda x: missing(x))
target.take(eval("lambda: 1"))
"""
    project = Project(tmp_path, "def take(value): return value\n")
    project.run(python, script, 0, "-Werror")
    bound = [["n", 4]]
    assert project.arguments("take") == [
        [{"source": ["lambda a: (a + n)", bound]}],
        [{"source": ["lambda x: x * n", bound]}],
        [{"source": ["lambda x: (x,\n        n)", bound]}],
        [{"source": ["lambda a: a", []]}],
        [{"source": ["lambda x: op.neg(abs(x))", [["op", {"module": "operator"}]]]}],
    ]
    assert project.traced()["take"].opaque == (("lambda", 1), ("local function", 1))


def test_names_in_a_tree_of_constants_are_found(python, tmp_path):
    source = """
class Kind(tuple):
    def __getattr__(self, name):
        inner = Kind((*self, name)); setattr(self, name, inner); inner.parent = self
        return inner
Text = Kind()
Inner = Text.Words.Short
def take(value): return value
"""
    project = Project(tmp_path, source)
    project.run(python, "import target\nfor k in (target.Text.Words, target.Inner): target.take(k)")
    assert project.arguments("take") == [
        [{"name": "target:Text.Words"}],
        [{"name": "target:Inner"}],
    ]
