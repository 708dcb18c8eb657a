"""Arithmetic on parameters, as text: "-2 * load * cos(angle)", "2 * wall < width".

The grammar is a part of Python's, read by its own parser; only what is listed here is evaluated, so text from anywhere
may come in. Values are numbers or arrays of them, one for each design.
"""

from __future__ import annotations

import ast
import difflib
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from twin.errors import StudyError

Value = float | NDArray[Any]

_OPERATORS: Final[Mapping[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.divide,
    ast.Pow: np.float_power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_COMPARISONS: Final[Mapping[type[ast.AST], Callable[..., Any]]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
FUNCTIONS: Final[Mapping[str, tuple[int, Callable[..., Any]]]] = {
    "sqrt": (1, np.sqrt),
    "exp": (1, np.exp),
    "log": (1, np.log),
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "tan": (1, np.tan),
    "abs": (1, np.abs),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}
"""Names, numbers of arguments and meanings of functions."""

CONSTANTS: Final[Mapping[str, float]] = {"pi": math.pi}
_LONGEST: Final = 1024
_DEEPEST: Final = 50


@final
@dataclass(frozen=True)
class Formula:
    """A text that was read. Raises StudyError where it is not arithmetic, or a comparison where one is wanted."""

    text: str
    comparison: bool = False

    def __post_init__(self) -> None:
        if len(self.text) > _LONGEST:
            raise StudyError(f"{self.text[:40]!r}... is longer than {_LONGEST} characters.")
        try:
            self._check(self._tree, self.comparison, 0)
        except (OverflowError, RecursionError):
            raise StudyError(
                f"{self.text[:40]!r}... can't be read: its numbers or its nesting are too large."
            ) from None

    @cached_property
    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise StudyError(
                f"{self.text!r} can't be read as arithmetic, such as '-2 * load * cos(angle)'."
            ) from None

    @cached_property
    def names(self) -> frozenset[str]:
        """The parameters that it speaks of."""
        return frozenset(_names(self._tree)) - CONSTANTS.keys()

    def check(self, known: Mapping[str, Any]) -> None:
        """Raise StudyError for a name that is no parameter."""
        for name in sorted(self.names - known.keys()):
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known) or 'none'}"
            raise StudyError(
                f"{self.text!r} speaks of {name}, which is none of what has a number here; {hint}"
            )

    def __call__(self, values: Mapping[str, Value]) -> Any:
        """What it is for these values of the parameters; where it has no meaning, NaN or False."""
        with np.errstate(all="ignore"):
            return _evaluate(self._tree, values)

    def violation(self, values: Mapping[str, Value]) -> Any:
        """How far a comparison is from being met, relative to what is compared; 0 or less where it is met."""
        assert isinstance(self._tree, ast.Compare)
        sides = [
            np.asarray(_evaluate(side, values), float) for side in (self._tree.left, *self._tree.comparators)
        ]
        worst = np.full((), -np.inf)
        for op, (left, right) in zip(self._tree.ops, itertools.pairwise(sides), strict=True):
            excess = left - right if isinstance(op, ast.Lt | ast.LtE) else right - left
            worst = np.maximum(worst, excess / np.maximum(np.maximum(np.abs(left), np.abs(right)), 1e-300))
        return worst

    def _check(self, node: ast.AST, comparison: bool, depth: int) -> None:
        if depth > _DEEPEST:
            raise self._refusal("it is nested too deeply")
        match node:
            case ast.Compare(left=left, ops=ops, comparators=right) if comparison:
                if not all(type(op) in _COMPARISONS for op in ops):
                    raise self._refusal("numbers are compared by <, <=, > and >=")
                parts = [left, *right]
            case _ if comparison:
                raise self._refusal("a constraint compares, as in '2 * wall < width'")
            case ast.BinOp(left=left, op=op, right=second) if type(op) in _OPERATORS:
                parts = [left, second]
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
                parts = [operand]
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                if len(args) != FUNCTIONS[name][0]:
                    raise self._refusal(f"{name} takes {FUNCTIONS[name][0]} arguments, not {len(args)}")
                parts = args
            case ast.Constant(value=bool()):
                raise self._refusal("True and False are no numbers")
            case ast.Constant(value=float() | int() as number) if math.isfinite(number):
                parts = []
            case ast.Name(id=name) if name not in FUNCTIONS:
                parts = []
            case ast.Attribute(value=ast.Name()):  # "brake.max_von_mises", of a load case
                parts = []
            case _:
                raise self._refusal(
                    f"{ast.unparse(node)!r} is none of + - * / **, brackets, numbers, parameters, "
                    f"{', '.join((*CONSTANTS, *FUNCTIONS))}"
                )
        for part in parts:
            self._check(part, False, depth + 1)

    def _refusal(self, reason: str) -> StudyError:
        return StudyError(f"{self.text!r} can't be used: {reason}.")


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Attribute(value=ast.Name(id=case), attr=name):
            yield f"{case}.{name}"
        case ast.Call(args=args):
            for argument in args:
                yield from _names(argument)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _names(child)


def _evaluate(node: ast.AST, values: Mapping[str, Value]) -> Any:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=right):
            sides = [_evaluate(side, values) for side in (left, *right)]
            holds = [
                _COMPARISONS[type(op)](*pair) for op, pair in zip(ops, itertools.pairwise(sides), strict=True)
            ]
            return np.logical_and.reduce(holds)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_evaluate(left, values), _evaluate(right, values))
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATORS[type(op)](_evaluate(operand, values))
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name][1](*(_evaluate(argument, values) for argument in args))
        case ast.Constant(value=float() | int() as number):
            return float(number)
        case ast.Name(id=name):
            return CONSTANTS[name] if name in CONSTANTS else values[name]
        case ast.Attribute(value=ast.Name(id=case), attr=name):
            return values[f"{case}.{name}"]
    raise AssertionError(ast.dump(node))  # Formula._check let nothing else through
