"""The gradient of a number as a value: what it is of, what it is with respect to, and its entries. SI throughout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from twin.results.outcome import Cost, Outcome
from twin.studies import FreeForm, GradientOf, Study, Wrt

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Differentiation:
    """The question for a gradient, with the study and the answer that it is about. boxes: that deformed the part."""

    question: GradientOf
    study: Study
    outcome: Outcome
    boxes: tuple[FreeForm, ...] = ()


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Derivatives with respect to one parameter, in an array of its shape: () of a number, (3,) of a vector.

    unit: SI, of the quantity per that of the parameter.
    """

    values: Floats
    unit: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values, dtype=np.float64))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)


@dataclass(frozen=True, eq=False)
class Gradient(Mapping[str, Sensitivity]):
    """A mapping from names of parameters to derivatives. `numpy.asarray` of it has the entries of all, one after the
    other, or where there is one parameter the array of its shape: (3,) of a single force, (vertices, 3) of the shape.

    of: the run whose answer is differentiated; run: that which has found the gradient
    case: load case; quantity: such as "max_displacement"; wrt: "loads", "material" or "shape"
    value: what is differentiated, in `unit`; gap: the quantity less that: a maximum over a field is differentiated
        through a mean that is smooth, and 0 where the quantity itself is

    Loads and supports go by their place and field in the study: "loads[0].vector", "supports[1].x"; the material by
    fields of twin.Material; the shape is "vertices": (v, 3) of the surface of the answer, whose entries grow with the
    area around a vertex, and where boxes deformed the part "shape[0].moves": (i, j, k, 3) of their control points.
    """

    of: str
    case: str
    quantity: str
    wrt: Wrt
    value: float
    unit: str
    gap: float
    parameters: Mapping[str, Sensitivity]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    provenance: Mapping[str, str]
    cost: Cost
    run: str = ""

    def __getitem__(self, name: str) -> Sensitivity:
        return self.parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        values = [sensitivity.values for sensitivity in self.parameters.values()]
        if len(values) == 1:
            return np.array(values[0], dtype=dtype, copy=copy)
        joined = np.concatenate([np.zeros(0), *(array.ravel() for array in values)])
        return joined if dtype is None else joined.astype(dtype)

    def __repr__(self) -> str:
        return f"Gradient({self.quantity!r}, wrt={self.wrt!r}, case={self.case!r}, names={list(self.parameters)})"
