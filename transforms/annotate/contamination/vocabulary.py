"""Words of Python that a renaming of identifiers leaves as they are.

Keywords, the names of builtins, and the methods of built-in types, of Python 3.11: a
list of our own, because what the running Python would say changes with its version.
"""

from __future__ import annotations

_KEYWORDS = """
False None True and as assert async await break case class continue def del elif else except
finally for from global if import in is lambda match nonlocal not or pass raise return try
while with yield
"""

_BUILTINS = """
abs all any ascii bin bool bytearray bytes callable chr classmethod compile complex delattr
dict dir divmod enumerate eval exec filter float format frozenset getattr globals hasattr hash
help hex id input int isinstance issubclass iter len list locals map max memoryview min next
object oct open ord pow print property range repr reversed round set setattr slice sorted
staticmethod str sum super tuple type vars zip
Exception AssertionError AttributeError EOFError ImportError IndexError KeyError
KeyboardInterrupt LookupError MemoryError NameError NotImplementedError OSError OverflowError
RecursionError RuntimeError StopIteration SyntaxError SystemExit TypeError UnicodeDecodeError
UnicodeEncodeError ValueError ZeroDivisionError
__init__ __name__ __main__ __str__ __repr__ __eq__ __hash__ __len__ __iter__ __next__
__getitem__ __setitem__ __contains__ __call__ __enter__ __exit__ self cls
"""

_METHODS = """
add append as_integer_ratio bit_length capitalize casefold center clear conjugate copy count
decode difference discard encode endswith expandtabs extend find format_map fromkeys get imag
index insert intersection isalnum isalpha isascii isdecimal isdigit isdisjoint isidentifier
islower isnumeric isprintable isspace issubset issuperset istitle isupper items join keys ljust
lower lstrip maketrans partition pop popitem read readline readlines real remove removeprefix
removesuffix replace reverse rfind rindex rjust rpartition rsplit rstrip setdefault sort split
splitlines startswith strip swapcase symmetric_difference title translate union update upper
values write zfill
"""

VOCABULARY = frozenset((_KEYWORDS + _BUILTINS + _METHODS).split())
