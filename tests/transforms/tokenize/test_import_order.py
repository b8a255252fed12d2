import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.builders import thorough
from transforms.tokenize.import_order import order_files
from transforms.tokenize.imports import Import, find_imports

SRC_LAYOUT = {
    "noxfile.py": "import nox\n",
    "src/shop/__init__.py": "from .cart import Cart\n__all__ = ['Cart']\n",
    "src/shop/_types.py": "import typing\n",
    "src/shop/cart.py": "from . import prices, taxes\nfrom ._types import Money\n",
    "src/shop/json.py": "import json\n",
    "src/shop/prices.py": "from shop._types import Money\n\ndef f():\n    import shop.taxes\n",
    "src/shop/taxes.py": "import json\nfrom ._types import Money\n",
    "tests/test_cart.py": "import shop\nfrom shop.cart import Cart\nfrom helpers import x\n",
    "tests/helpers.py": "import pytest\n",
}


def order(files, language="python"):
    paths = list(files)
    found = [find_imports(text.encode(), language) for text in files.values()]
    return [paths[place] for place in order_files(paths, found)]


def includes(*names):
    return tuple(Import("c", (name,)) for name in names)


def test_files_of_a_package_follow_what_they_import():
    assert order(SRC_LAYOUT) == [
        "noxfile.py",
        "src/shop/_types.py",
        "src/shop/taxes.py",
        "src/shop/prices.py",
        "src/shop/cart.py",
        "src/shop/__init__.py",
        "src/shop/json.py",
        "tests/helpers.py",
        "tests/test_cart.py",
    ]


@pytest.mark.parametrize(
    ("language", "files"),
    [
        ("c", {"src/main.c": '#include "lib/a.h"', "include/lib/a.h": ""}),
        ("c", {"a/x.c": '#include "a/x.h"', "a/a/x.h": '#include "../x.h"', "a/x.h": ""}),
        ("javascript", {"a.js": "import './b'", "b/index.js": "require('..')", "index.js": ""}),
        ("typescript", {"src/a.ts": "export * from './b.js'", "src/b.tsx": ""}),
        ("java", {"src/a/b/C.java": "import a.d.E;", "src/a/d/E.java": ""}),
        ("java", {"src/a/b/C.java": "import a.d.*;", "src/a/d/E.java": "", "src/a/d/F.kt": ""}),
        ("kotlin", {"src/a/b/C.kt": "import a.d.function", "src/a/d/Functions.kt": ""}),
        ("scala", {"a/b/C.scala": "import a.d.{E, F}", "a/d/E.scala": ""}),
        ("go", {"cmd/main.go": '\t"h.org/o/r/pkg/u"\n', "pkg/u/a.go": "", "pkg/u/b.go": ""}),
        ("rust", {"src/lib.rs": "mod x;", "src/x.rs": "mod y;", "src/x/y.rs": ""}),
        ("rust", {"src/b.rs": "use crate::c::D;", "src/c/mod.rs": ""}),
        ("ruby", {"a.rb": "require 'g/a'", "lib/g/a.rb": "require_relative 'b'", "lib/g/b.rb": ""}),
        ("php", {"a.php": "require 'b/b.php';", "b/b.php": "require DIR.'/c.php';", "b/c.php": ""}),
        ("php", {"public/a.php": "use App\\Models\\B;", "src/Models/B.php": ""}),
    ],
)  # fmt: skip
def test_finds_the_files_that_imports_mean(language, files):
    names = list(files)
    first, *rest = order(files, language)[::-1]
    assert first == names[0]
    # Each of these imports the next, but for packages, whose files are in their own order.
    assert rest in (names[1:], names[:0:-1])


def test_imports_are_in_the_order_of_their_paths():
    files = {"a.c": '#include "d.h"\n#include "b.h"', "b.h": "", "c.h": "", "d.h": ""}
    assert order(files, "c") == ["b.h", "d.h", "a.c", "c.h"]


def test_an_import_that_closes_a_cycle_has_no_effect():
    files = {"a.c": '#include "b.h"', "b.h": '#include "c.h"', "c.h": '#include "a.c"'}
    assert order(files, "c") == ["c.h", "b.h", "a.c"]
    assert order({"a.c": '#include "a.c"'}, "c") == ["a.c"]


@pytest.mark.parametrize(
    ("importing", "found"),
    [
        ("p/a/x/f.c", "p/a/x/n.h"),
        ("p/a/y/f.c", "p/a/n.h"),
        ("p/b/f.c", "p/b/deep/n.h"),
        ("p/c/f.c", "p/a/n.h"),
        ("q/f.c", "n/n.h"),
    ],
)
def test_the_nearest_of_files_with_the_same_end_is_meant(importing, found):
    names = ["n/n.h", "o/n.h", "p/a/x/n.h", "p/a/n.h", "p/b/deep/n.h"]
    paths = [importing, *names]
    places = order_files(paths, [includes("n.h"), *[()] * len(names)])
    assert paths[places[0]] == found


def test_modules_in_a_package_are_not_found_by_their_bare_name():
    files = {"a.py": "import json", "p/__init__.py": "", "p/json.py": "", "q/json.py": ""}
    assert order(files) == ["q/json.py", "a.py", "p/__init__.py", "p/json.py"]


def test_files_of_a_package_of_go_do_not_import_each_other():
    files = {
        "p/a.go": 'import "h.org/p"\n',
        "p/a_test.go": 'import "h.org/p"\n',
        "p/b.go": "",
        "z.go": 'import "h.org/p"\n',
    }
    assert order(files, "go") == list(files)


def test_paths_that_leave_the_repository_mean_no_file():
    files = {"a/b.js": "import '../../c'; import '../../../c'", "c.js": ""}
    assert order(files, "javascript") == list(files)


def slow_order(count, edges):
    """Depth-first by recursion."""
    found, visited = [], set()

    def visit(node):
        if node not in visited:
            visited.add(node)
            for following in sorted(edges[node]):
                visit(following)
            found.append(node)

    for node in range(count):
        visit(node)
    return found


GRAPHS = st.integers(1, 12).flatmap(
    lambda count: st.lists(
        st.lists(st.integers(0, count - 1), max_size=4), min_size=count, max_size=count
    )
)


@thorough
@given(GRAPHS)
def test_orders_files_as_a_recursion_does(edges):
    paths = [f"{number:02}.h" for number in range(len(edges))]
    found = order_files(paths, [includes(*(paths[each] for each in listed)) for listed in edges])
    assert found == slow_order(len(edges), edges)
    assert sorted(found) == list(range(len(edges)))


@thorough
@given(GRAPHS, st.randoms(use_true_random=False))
def test_imports_come_first_where_none_are_cyclic(edges, shuffled):
    names = [f"{number}.h" for number in range(len(edges))]
    shuffled.shuffle(names)
    # Only what has a higher number is imported, in whatever order the paths are.
    edges = [[each for each in listed if each > file] for file, listed in enumerate(edges)]
    found = order_files(names, [includes(*(names[n] for n in listed)) for listed in edges])
    place = {file: number for number, file in enumerate(found)}
    assert all(place[each] < place[file] for file, listed in enumerate(edges) for each in listed)


@thorough
@given(st.randoms(use_true_random=False))
def test_the_order_of_statements_does_not_matter(shuffled):
    lines = {path: text.splitlines() for path, text in SRC_LAYOUT.items()}
    for listed in lines.values():
        shuffled.shuffle(listed)
    assert order({path: "\n".join(listed) for path, listed in lines.items()}) == order(SRC_LAYOUT)


def test_a_chain_of_a_hundred_thousand_files_is_followed():
    count = 100_000
    paths = [f"{number // 1_000}/m{number}.h" for number in range(count)]
    links = [includes(f"m{number + 1}.h") for number in range(count)]
    assert order_files(paths, links) == list(range(count))[::-1]


# Were each pair of a file and an import of it looked at, this would not come to an end.
def test_many_files_that_import_many_take_linear_time():
    count = 50_000
    paths = [f"d{n}/u.h" for n in range(count)] + [f"p/F{n}.java" for n in range(count)]
    paths += [f"e{n}/x.c" for n in range(count)]
    users = (*includes("u.h"), Import("java", ("p",)))
    found = order_files(paths, [()] * 2 * count + [users] * count)
    assert found == list(range(3 * count))


def test_no_files_have_no_order():
    assert order_files([], []) == []


def test_refuses_imports_of_other_files():
    with pytest.raises(ValueError, match="got 2 paths and imports of 1 files"):
        order_files(["a", "b"], [()])
