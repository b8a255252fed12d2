import subprocess
import sys

import numpy as np
import pytest
from numba.core.errors import TypingError

from transforms.compiled import allocation_free, compiled


@compiled
def sum_of_copy(values):
    copy = np.empty(values.size, np.int64)
    copy[:] = values
    return copy.sum()


@allocation_free
def sum_of_tails(values):
    total = 0
    for first in range(values.size):
        total += sum_of_copy(values[first:])
    return total


@allocation_free
def allocate(count):
    return np.empty(count, np.int64)[0]


def test_a_function_that_allocates_nothing_may_call_one_that_does():
    assert sum_of_tails(np.array([1, 2, 3])) == 14


def test_refuses_to_compile_an_allocation_where_none_may_be():
    with pytest.raises(TypingError):
        allocate(1)


def test_loading_a_kernel_imports_neither_linear_algebra_nor_what_extends_numba():
    # In a process of its own, because others of these tests import both.
    program = """
import sys
import numpy as np
from transforms.shingles import jaccard
values = np.array([1, 2], np.uint64)
assert jaccard(values, values) == 1
assert not {"scipy.linalg", "awkward"} & sys.modules.keys()
import scipy.linalg
"""
    subprocess.run([sys.executable, "-c", program], check=True)
