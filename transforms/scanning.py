"""Looking at many bytes of a text at once: where some byte comes next, which are of words.

A block of bytes is compared as one vector, and what the comparison says is one bit a
byte in an integer, lowest first; what LLVM makes of it is a few instructions a block,
on every machine (on x86 a comparison and a `movmskb`). After Langdale and Lemire:
Parsing Gigabytes of JSON per Second (VLDB Journal 28, 2019), section 3.1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from transforms.buffers import Bytes, Offsets
from transforms.compiled import allocation_free
from transforms.interpreted import word_bytes

BLOCK = 32
"""Bytes that `next_of` looks at together."""
WIDE = 64
"""Bytes that `word_bits` and its like look at together."""

_ONE = np.uint64(1)
_EDGES_AT_ONCE = 8
_WORD_BYTES = 8
_IS_WORD_BYTE = word_bytes()


def _intrinsic(define: Callable[..., Any]) -> Any:
    """A function that kernels may call, of whose types Numba's own do not tell."""
    return intrinsic(define)


@dataclass(frozen=True)
class Lanes:
    """A value for each byte of a block, or whether something holds of each."""

    builder: Any
    value: Any

    def __and__(self, other: Lanes) -> Lanes:
        return Lanes(self.builder, self.builder.and_(self.value, other.value))

    def __or__(self, other: Lanes) -> Lanes:
        return Lanes(self.builder, self.builder.or_(self.value, other.value))

    def __invert__(self) -> Lanes:
        return Lanes(self.builder, self.builder.not_(self.value))

    def equal(self, byte: int) -> Lanes:
        """Whether each is this byte."""
        return self.between(byte, byte)

    def between(self, first: int, last: int) -> Lanes:
        """Whether each is in a range of bytes."""
        shifted = self.builder.sub(self.value, self._constant(first))
        limit = self._constant(last - first)
        operator = "==" if first == last else "<="
        return Lanes(self.builder, self.builder.icmp_unsigned(operator, shifted, limit))

    def lower(self) -> Lanes:
        """With the bit set that small letters have and large ones have not."""
        return Lanes(self.builder, self.builder.or_(self.value, self._constant(0x20)))

    def _constant(self, byte: int) -> Any:
        return ir.Constant(self.value.type, [byte] * self.value.type.count)


Further = Callable[[int], Lanes]
"""Gives the bytes that stand so many places further than those of a block."""


def bits_where(test: Callable[[Further], Lanes]) -> Any:
    """A function of data and a place: for which of the `WIDE` bytes from there on a test holds.

    The data must have all bytes that the test asks for.
    """

    @_intrinsic
    def bits(typing: Any, data: Any, at: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])

            @functools.cache
            def further(places: int) -> Lanes:
                offset = builder.add(arguments[1], ir.Constant(ir.IntType(64), places))
                return Lanes(builder, _load_block(builder, array.data, offset, WIDE))

            return builder.bitcast(test(further).value, ir.IntType(WIDE))

        return types.uint64(data, types.int64), generate

    return bits


def _load_block(builder: Any, data: Any, at: Any, size: int) -> Any:
    vector = ir.VectorType(ir.IntType(8), size)
    start = builder.bitcast(builder.gep(data, [at]), vector.as_pointer())
    return builder.load(start, align=1)


def _splat(builder: Any, byte: Any, size: int) -> Any:
    """A vector of nothing but this byte."""
    nothing = ir.Constant(ir.VectorType(ir.IntType(8), size), ir.Undefined)
    first = builder.insert_element(nothing, byte, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), size), [0] * size)
    return builder.shuffle_vector(first, nothing, lanes)


@_intrinsic
def _bits_of_any(typing: Any, data: Any, at: Any, needles: Any) -> Any:
    """uint32: which of the `BLOCK` bytes from ``at`` on are one of ``needles``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        block = _load_block(builder, array.data, arguments[1], BLOCK)
        found = None
        for number in range(len(needles)):
            needle = _splat(builder, builder.extract_value(arguments[2], number), BLOCK)
            equal = builder.icmp_unsigned("==", block, needle)
            found = equal if found is None else builder.or_(found, equal)
        return builder.bitcast(found, ir.IntType(BLOCK))

    return types.uint32(data, types.int64, needles), generate


def is_word(byte: Lanes) -> Lanes:
    """Whether each is a byte that words consist of."""
    letter = byte.lower().between(ord("a"), ord("z"))
    return (
        letter | byte.between(ord("0"), ord("9")) | byte.equal(ord("_")) | byte.between(0x80, 0xFF)
    )


_word_bits = bits_where(lambda further: is_word(further(0)))


@_intrinsic
def lowest_bit(typing: Any, bits: Any) -> Any:
    """int64: the place of the lowest bit that is set in a uint64; 64 if none is."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@_intrinsic
def count_bits(typing: Any, bits: Any) -> Any:
    """int64: how many bits are set in a uint64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@allocation_free
def load_word(data: Bytes, at: np.uint64) -> np.uint64:
    """Eight bytes, the first one lowest.

    LLVM makes it one instruction; not where a place has a sign, because negative ones count
    from the end.
    """
    value = np.uint64(0)
    for place in range(_WORD_BYTES):
        value |= np.uint64(data[at + np.uint64(place)]) << np.uint64(8 * place)
    return value


@allocation_free
def next_of(data: Bytes, position: int, end: int, needles: tuple[np.uint8, ...]) -> int:
    """The first place from ``position`` to before ``end`` with one of some bytes, or ``end``.

    Texts shorter than a block at the end of ``data`` are read byte by byte.
    """
    last = min(end, data.size - BLOCK + 1)
    while position < last:
        bits = np.uint64(_bits_of_any(data, position, needles))
        if bits:
            found: int = position + lowest_bit(bits)
            return min(found, end)
        position += BLOCK
    while position < end:
        byte = data[position]
        for needle in needles:
            if byte == needle:
                return position
        position += 1
    return end


@allocation_free
def before_end(bits: np.uint64, position: int, end: int) -> np.uint64:
    """Those bits of a block at a position that are of places before an end."""
    left = end - position
    return bits if left >= WIDE else bits & ((_ONE << np.uint64(left)) - _ONE)


@allocation_free
def word_bits(data: Bytes, position: int, end: int) -> np.uint64:
    """Which of the `WIDE` bytes from ``position`` to before ``end`` words consist of."""
    if position + WIDE <= data.size:
        return before_end(_word_bits(data, position), position, end)
    bits = np.uint64(0)
    for place in range(position, end):
        bits |= np.uint64(_IS_WORD_BYTE[data[place]]) << np.uint64(place - position)
    return bits


@allocation_free
def find_edges(data: Bytes, start: int, stop: int, edges: Offsets) -> int:
    """Writes where the words from ``start`` to before ``stop`` begin and end; says how many edges.

    ``edges`` has room for `WIDE` more than there are; an end at ``stop`` may not be counted,
    and is written all the same.
    """
    found = 0
    before = np.uint64(0)
    for block in range(start, stop, WIDE):
        bits = word_bits(data, block, stop)
        changes = bits ^ (bits << np.uint64(1) | before)
        before = bits >> np.uint64(WIDE - 1)
        count = count_bits(changes)
        for first in range(0, count, _EDGES_AT_ONCE):
            # What is written too much is written over: nothing to mispredict.
            for slot in range(_EDGES_AT_ONCE):
                edges[np.uint64(found + first + slot)] = block + lowest_bit(changes)
                changes &= changes - np.uint64(1)
        found += count
    edges[found] = stop
    return found
