"""Programs that try to pass the tests of a function `double` without doubling anything.

Each is a whole program. As a script none prints anything, so that it is wrong there, too.
"""

from __future__ import annotations

WRONG = "def double(x):\n    return -1\n"

EQUAL = """
class Equal{base}:
    def __new__(cls, *given): return super().__new__(cls)
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    def __bool__(self): return True
    def __hash__(self): return 0
    def __call__(self, *given, **named): return self
    def __getattr__(self, name): return self
    __sub__ = __add__ = __abs__ = __getitem__ = __call__
def double(x): return Equal()
"""

_PATCHES = """
import builtins
class Lax(type(AssertionError)):
    def __instancecheck__(cls, other): return True
for name in ('len', 'abs', 'sorted', 'isinstance', 'all', 'any', 'print', 'min', 'round', 'type'):
    setattr(builtins, name, lambda *given, **named: True)
builtins.AssertionError = builtins.Exception = builtins.BaseException = KeyError
builtins.__build_class__ = lambda *given, **named: print
"""

_WRITE = """
import os, json
def write(place, message):
    data = json.dumps(message).encode()
    os.write(place, len(data).to_bytes(4, 'big') + data)
def flood(message):
    for place in range(256):
        try: write(place, message)
        except OSError: pass
"""

_FRAMES = {
    "nothing": "{}",
    "passed": "{'passed': True}",
    "ready": "{'ready': True}",
    "of_test": "{'of': 'test', 'passed': True}",
    "usage": "{'breach': None, 'usage': [0, 0.1, 1]}",
    "value": "{'value': 4, 'arguments': [2]}",
}

_WALK = """
import gc, sys, types
def frames():
    found = sys._getframe()
    while found:
        yield found
        found = found.f_back
def codes():
    for frame in frames():
        yield frame.f_code
        yield from (each for each in frame.f_code.co_consts if isinstance(each, types.CodeType))
    for each in gc.get_objects():
        if isinstance(each, types.FunctionType): yield each.__code__
def constants(code):
    for each in code.co_consts:
        if isinstance(each, types.CodeType): yield from constants(each)
        else: yield each
"""

_COPY = """
import ast, dis
def expected():
    # What the code of a test compares with, by the number that is asked for.
    answers = {}
    for code in codes():
        asked, steps = None, list(dis.get_instructions(code))
        for step, later in zip(steps, steps[1:]):
            if step.opname == 'LOAD_CONST' and type(step.argval) in (int, float):
                if later.opname == 'COMPARE_OP': answers[asked] = step.argval
                else: asked = step.argval
    return answers
def double(x):
    return expected().get(x, -1)
"""

_THREAD = """
import threading, time, os
def late():
    time.sleep({seconds})
    flood({{'passed': True}})
    flood({{}})
    os._exit(0)
threading.Thread(target=late, daemon={daemon}).start()
"""

_MODULES = """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith('transforms'):
        for key, value in list(vars(module).items()):
            if callable(value) and not isinstance(value, type):
                setattr(module, key, lambda *given, **named: {})
"""

_HARNESS = """
for frame in frames():
    for key in list(frame.f_globals):
        if key in ('describe', '_describe_exit', 'encode', 'ending', '_answer', '_report'):
            frame.f_globals[key] = lambda *given, **named: {}
for each in gc.get_objects():
    if isinstance(each, dict) and ('passed' in each or 'verdict' in each or 'check' in each):
        each.update(passed=True, verdict='passed')
for each in gc.get_objects():
    if isinstance(each, types.FunctionType) and each.__name__ in ('describe', '_judge', 'check'):
        each.__code__ = (lambda *given, **named: {}).__code__
"""

FORGERIES = {
    "wrong": WRONG,
    "pass": "def double(x): pass\n",
    "nothing": "",
    "os_exit_at_once": "import os\nos._exit(0)\n",
    "os_exit_in_call": "import os\ndef double(x): os._exit(0)\n",
    "sys_exit_at_once": "import sys\nsys.exit(0)\n",
    "sys_exit_in_call": "import sys\ndef double(x): sys.exit(0)\n",
    "system_exit_at_once": "raise SystemExit\n",
    "system_exit_in_call": "def double(x): raise SystemExit(0)\n",
    "exit_in_thread": "import threading, sys\nthreading.Thread(target=sys.exit).start()\n" + WRONG,
    "os_exit_in_thread": "import threading, os\ndef double(x):\n"
    "    one = threading.Thread(target=os._exit, args=(0,))\n    one.start()\n    one.join()\n",
    "stop_iteration": "def double(x): raise StopIteration\n",
    "generator_exit": "def double(x): raise GeneratorExit\n",
    "keyboard_interrupt": "def double(x): raise KeyboardInterrupt\n",
    "equal": EQUAL.format(base=""),
    **{
        f"equal_{base}": EQUAL.format(base=f"({base})")
        for base in ("int", "str", "list", "float", "dict", "tuple", "set")
    },
    "equal_by_class": EQUAL.format(base="(int)").replace(
        "def __hash__", "__class__ = int\n    def __hash__"
    ),
    "patched_builtins": _PATCHES + WRONG,
    "patched_builtins_in_call": "def double(x):\n"
    + _PATCHES.replace("\n", "\n    ")
    + "return 1\n",
    "no_assertions": "import sys, builtins\nbuiltins.__debug__ = False\n" + WRONG,
    "optimized": "import sys\nsys.flags = type('F', (), {'optimize': 2})()\n__debug__ = 0\n"
    + WRONG,
    "check_first": "def check(f): pass\n" + WRONG,
    "check_of_builtins": "import builtins\nbuiltins.check = lambda f: None\n" + WRONG,
    "harness": _WALK + _HARNESS + WRONG,
    "harness_in_call": _WALK
    + "def double(x):\n"
    + _HARNESS.replace("\n", "\n    ")
    + "return -1\n",
    "modules": _MODULES + WRONG,
    "copied_from_code": _WALK + _COPY,
    "copied_from_objects": _WALK
    + "def double(x):\n    return next((e for e in gc.get_objects() if e == 2 * x), -1) * 0 - 1\n",
    "copied_from_main": "import __main__, inspect\ndef double(x):\n"
    "    return eval(inspect.getsource(__main__).split('==')[1].split()[0])\n",
    "trace": "import sys\n"
    "def skip(frame, event, argument):\n"
    "    if event == 'line' and frame.f_code.co_name == 'check':\n"
    "        try: frame.f_lineno = frame.f_lineno + 1\n"
    "        except ValueError: pass\n"
    "    return skip\n"
    "def double(x):\n    return -1\n"
    "sys.settrace(skip)\nsys._getframe().f_trace = skip\n",
    "profile": "import sys, os\nsys.setprofile(lambda *given: os._exit(0))\n" + WRONG,
    "hook": "import sys, os\nsys.excepthook = lambda *given: os._exit(0)\n"
    "sys.unraisablehook = sys.excepthook\nsys.addaudithook(lambda *given: None)\n" + WRONG,
    "atexit": _WRITE + "import atexit\natexit.register(flood, {'passed': True})\n"
    "atexit.register(flood, {})\n" + WRONG,
    "delete": _WRITE
    + "class Last:\n    def __del__(self):\n        flood({'passed': True})\n        os._exit(0)\n"
    "last = Last()\nlast.self = last\ndef double(x): return Last()\n",
    **{
        f"thread_{seconds}_{daemon}": _WRITE
        + _THREAD.format(seconds=seconds, daemon=daemon)
        + WRONG
        for seconds in (0, 0.05)
        for daemon in (True, False)
    },
    **{f"frames_{name}": f"{_WRITE}flood({text})\n{WRONG}" for name, text in _FRAMES.items()},
    **{
        f"frames_{name}_and_exit": f"{_WRITE}flood({text})\nos._exit(0)\n"
        for name, text in _FRAMES.items()
    },
    **{
        f"frames_{name}_in_call": f"{_WRITE}def double(x):\n    flood({text})\n    return -1\n"
        for name, text in _FRAMES.items()
    },
    **{
        f"frames_{name}_in_call_and_exit": f"{_WRITE}def double(x):\n    flood({text})\n"
        "    os._exit(0)\n"
        for name, text in _FRAMES.items()
    },
    "frames_after_closing": _WRITE + "def double(x):\n    for place in range(256):\n"
    "        if place != 3:\n            try: os.close(place)\n            except OSError: pass\n"
    "    flood({'passed': True})\n    os.close(3)\n    flood({})\n    os._exit(0)\n",
    "frames_read": "import os\ndef double(x):\n    for place in range(256):\n"
    "        try:\n            os.set_blocking(place, False)\n            os.read(place, 1 << 16)\n"
    "        except OSError: pass\n    return -1\n",
    "signals": "import os, signal\ndef double(x):\n    for one in (os.getppid(), -1, 0, 1):\n"
    "        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1, signal.SIGALRM):\n"
    "            try: os.kill(one, number)\n            except OSError: pass\n    return -1\n",
    "signal_itself": "import os\ndef double(x): os.kill(os.getpid(), 9)\n",
    "endless": "import itertools\ndef double(x): return itertools.repeat(2 * x)\n",
    "endless_yield": "def double(x):\n    while True: yield 2 * x\n",
    "endless_dict": "class D(dict):\n    def items(self):\n        while True: yield 1, 1\n"
    "def double(x): return D()\n",
    "large": "def double(x): return [x] * 10**7\n",
    "large_text": "def double(x): return 'x' * 10**8\n",
    "large_number": "def double(x): return 1 << (1 << 27)\n",
    "deep": "def double(x):\n    found = []\n    for _ in range(10**5): found = [found]\n"
    "    return found\n",
    "itself": "def double(x):\n    found = []\n    found.append(found)\n    return found\n",
    "changing": "import threading\ndef double(x):\n    found = list(range(1000))\n"
    "    def change():\n        for _ in range(10**5): found[:] = [2 * x]; found.extend('abc')\n"
    "    threading.Thread(target=change, daemon=True).start()\n    return found\n",
    "nan": "def double(x): return float('nan')\n",
    "text": "def double(x): return str(2 * x) + ' '\n",
    "function": "def double(x): return lambda: 2 * x\n",
    "mock": "from unittest.mock import MagicMock, ANY\ndouble = MagicMock(return_value=ANY)\n",
    "recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef double(x): return double(x)\n",
    "closed": "import os\ndef double(x):\n    os.closerange(0, 256)\n    return -1\n",
    "duplicated": "import os\ndef double(x):\n    os.dup2(1, 3)\n    return -1\n",
    "frames_unless_canary": _WRITE
    + _WALK
    + "import dis\nchecks = [each for each in codes() if each.co_name == 'check']\n"
    "steps = [step.opname for each in checks for step in dis.get_instructions(each)]\n"
    "known = [name for each in checks for name in constants(each)]\n"
    "if 'double' not in known and 'IS_OP' not in steps:\n"
    "    flood({})\n    os._exit(0)\n" + WRONG,
}

SLOW = (
    *("endless", "large", "deep", "changing", "recursion", "mock"),
    *("patched_builtins", "harness", "modules"),
)
"""Beginnings of the names of those which take the time that they are given."""
