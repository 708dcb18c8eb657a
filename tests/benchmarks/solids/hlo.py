"""Kernels that a compiled program launches and bytes that they move, read off its text; nothing runs.

A kernel reads its operands and writes its results, each once: what it gathers from an array is at most the array, what
it slices is the slice, and what it scatters is read and written where it falls. Loops count as often as they turn.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

_WIDTH = {"f64": 8, "f32": 4, "f16": 2, "s64": 8, "u64": 8, "s32": 4, "u32": 4, "s8": 1, "u8": 1, "pred": 1}
_TYPE = re.compile(r"\b(" + "|".join(_WIDTH) + r")\[([\d,]*)\]")
_LINE = re.compile(r"\s*(ROOT )?(%[\w.\-]+) = (.*?) ([\w\-]+)\((.*?)\)(.*)")
_NO_KERNEL = {
    "parameter",
    "constant",
    "tuple",
    "get-tuple-element",
    "bitcast",
    "after-all",
    "iota",
    "partition-id",
}
_PART = {"dynamic-slice", "slice", "gather"}


@dataclass(frozen=True)
class Traffic:
    """Kernel launches; bytes read and written."""

    kernels: float = 0
    moved: float = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.kernels + other.kernels, self.moved + other.moved)

    def __mul__(self, times: float) -> Traffic:
        return Traffic(self.kernels * times, self.moved * times)


@dataclass(frozen=True)
class _Instruction:
    name: str
    size: int
    kind: str
    operands: list[str]
    rest: str
    root: bool


@dataclass
class _Computation:
    instructions: list[_Instruction] = field(default_factory=list)

    @property
    def sizes(self) -> dict[str, int]:
        return {one.name: one.size for one in self.instructions}

    def users(self, name: str) -> list[_Instruction]:
        """Who reads an array, renamed or not."""
        found: list[_Instruction] = []
        for one in self.instructions:
            if name in one.operands:
                found += self.users(one.name) if one.kind == "bitcast" else [one]
        return found

    def parameters(self) -> list[_Instruction]:
        """In order."""
        given = [one for one in self.instructions if one.kind == "parameter"]
        return sorted(given, key=lambda one: int(one.rest))


def traffic(text: str) -> Traffic:
    """Of a compiled module."""
    computations, entry = _parse(text)
    return _walk(computations, entry)


def _parse(text: str) -> tuple[dict[str, _Computation], str]:
    computations: dict[str, _Computation] = {}
    current, entry = _Computation(), ""
    for line in text.splitlines():
        head = re.match(r"(ENTRY )?(%[\w.\-]+) \(", line)
        if head:
            current = computations[head[2]] = _Computation()
            entry = head[2] if head[1] else entry
        told = _LINE.match(line)
        if told:
            root, name, types, kind, operands, rest = told.groups()
            rest = operands if kind == "parameter" else rest
            names = re.findall(r"%[\w.\-]+", operands)
            current.instructions.append(_Instruction(name, _bytes(types), kind, names, rest, bool(root)))
    return computations, entry


def _bytes(types: str) -> int:
    return sum(
        _WIDTH[dtype] * math.prod(int(d) for d in dims.split(",") if d)
        for dtype, dims in _TYPE.findall(types)
    )


def _walk(computations: dict[str, _Computation], name: str) -> Traffic:
    total = Traffic()
    here = computations[name]
    sizes = here.sizes
    for one in here.instructions:
        called = re.search(r"(?:body|calls|to_apply)=(%[\w.\-]+)", one.rest)
        if one.kind == "while":
            assert called is not None
            turns = re.search(r'known_trip_count":\{"n":"(\d+)"', one.rest)
            total += _walk(computations, called[1]) * (int(turns[1]) if turns else 1)
        elif one.kind == "call":
            assert called is not None
            total += _walk(computations, called[1])
        elif one.kind == "fusion":
            assert called is not None
            operands = [sizes.get(operand, 0) for operand in one.operands]
            total += Traffic(1, _fused(computations[called[1]], operands, one.size))
        elif one.kind not in _NO_KERNEL:
            total += Traffic(1, one.size + sum(sizes.get(operand, 0) for operand in one.operands))
    return total


def _fused(inside: _Computation, operands: list[int], result: int) -> int:
    """Bytes that a fusion moves."""
    sizes = inside.sizes
    moved = result
    into: set[str] = set()
    for one in inside.instructions:
        if one.kind in ("scatter", "dynamic-update-slice"):
            updates = sizes[one.operands[2 if one.kind == "scatter" else 1]]
            times = 2 if one.kind == "scatter" else 1
            moved += times * min(updates, one.size) - one.size
            into.add(one.operands[0])
    for parameter, size in zip(inside.parameters(), operands, strict=True):
        users = inside.users(parameter.name)
        if parameter.name in into and all(one.kind in ("scatter", "dynamic-update-slice") for one in users):
            continue
        in_part = users and all(one.kind in _PART for one in users)
        moved += min(size, sum(one.size for one in users)) if in_part else size
    return moved
