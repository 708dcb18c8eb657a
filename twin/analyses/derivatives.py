"""What a quantity of the solution changes by, term by term of the equations.

With K u = f, J a quantity and K z = dJ/du its adjoint z, zero where u is held,

    dJ = dJ(u fixed) + z . (df - dK u) + (dJ/du - K z) . d(prescribed u)

(Haftka & Gürdal, Elements of Structural Optimization, 3rd ed., ch. 7). Every load and every spring is a term of
f - K u: its work on z, differentiated.
"""

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from solvers.law import Law
from solvers.precision import float64
from solvers.quadrature import FacetQuadrature
from solvers.tet10 import loads, sensitivity
from solvers.tet10.sensitivity import Parameters, Places

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Objective:
    """A quantity J as a function of the field u (n, k), of the positions of the nodes and of the material.

    value, unit: in SI; by_field: dJ/du (n, k)
    by_points: at fixed field (n, 3), by_law likewise, None where J does not depend on them; by_material: by name
    work: by name of a load or support, the field (n, k) on which J counts its work, besides what it does to u
    held: what the adjoint is where u is held (n, k), where J counts reactions
    adjoint: where it is known without a solution
    """

    value: float
    unit: str
    by_field: Floats
    by_points: Floats | None = None
    by_law: Law | None = None
    by_material: Mapping[str, float] = field(default_factory=dict)
    work: Mapping[str, Floats] = field(default_factory=dict)
    held: Floats | None = None
    adjoint: Floats | None = None

    @float64
    def then(self, value: float, unit: str, slope: float) -> "Objective":
        """A function of J of this value, whose slope there is given. Of quantities without work and reactions."""
        return replace(
            self,
            value=value,
            unit=unit,
            by_field=slope * self.by_field,
            by_points=None if self.by_points is None else slope * self.by_points,
            by_law=None if self.by_law is None else jax.tree.map(lambda by: slope * by, self.by_law),
        )


@dataclass(frozen=True)
class Adjoined:
    """A solution with the adjoint of a quantity, on nodes (n, 3) [m] of elements (m, 10).

    pull: dJ/du - K adjoint (n, k), what J changes by with the field where it is held; rest: f - K u (n, k)
    work: as of the quantity
    """

    points: Floats
    tets: NDArray[np.int32]
    field: Floats
    adjoint: Floats
    pull: Floats
    rest: Floats
    work: Mapping[str, Floats]

    def test(self, name: str) -> Floats:
        """The field that the work of a load or support counts on (n, k)."""
        return self.adjoint + self.work[name] if name in self.work else self.adjoint


class Term(abc.ABC):
    """A load or a support: what a quantity changes by with its parameters and, through it, with the shape.

    name: such as "loads[0]"; units: of its parameters, by name
    """

    name: str
    units: Mapping[str, str]

    @abc.abstractmethod
    def by_parameters(self, at: Adjoined) -> dict[str, Floats]:
        """Of each parameter an array of its shape."""

    @abc.abstractmethod
    def by_points(self, at: Adjoined) -> Floats:
        """(n, 3)."""


Density = Callable[[Mapping[str, Any], Places], Any]


@final
@dataclass(frozen=True)
class Work:
    """Of a density on a test field, which is values[1] of the places."""

    density: Density

    def __call__(self, places: Places, given: Parameters) -> Any:
        return (places.weight[:, None] * self.density(given, places) * places.values[1]).sum()


@final
@dataclass(frozen=True)
class FacetTerm(Term):
    """A force per area, or what corresponds to it.

    density: of the parameters and the places, whose values[0] is the field there: (p, k), or what broadcasts to it;
        a function of a module, so that it is compiled once
    """

    name: str
    units: Mapping[str, str]
    where: FacetQuadrature
    given: Parameters
    density: Density

    def by_parameters(self, at: Adjoined) -> dict[str, Floats]:
        return self._slopes(at)[1]

    def by_points(self, at: Adjoined) -> Floats:
        return self._slopes(at)[0]

    def _slopes(self, at: Adjoined) -> tuple[Floats, dict[str, Floats]]:
        work = Work(self.density)
        return sensitivity.facets(at.points, self.where, work, self.given, at.field, at.test(self.name))


@final
@dataclass(frozen=True)
class BodyTerm(Term):
    """A force per volume, base + slope @ x, or what corresponds to it.

    density: of the part [kg/m^3]; force: base (k,) and slope (k, 3), of the parameters and the density
    """

    name: str
    units: Mapping[str, str]
    given: Parameters
    density: float
    force: Callable[[Mapping[str, Any], Any], tuple[Any, Any]]

    def by_parameters(self, at: Adjoined) -> dict[str, Floats]:
        return self._slopes(at)[0]

    def by_density(self, at: Adjoined) -> float:
        """Per density of the part."""
        return float(self._slopes(at)[1])

    def by_points(self, at: Adjoined) -> Floats:
        base, slope = self.force(self.given, self.density)
        return sensitivity.body_force(at.points, at.tets, base, slope, at.test(self.name))

    @float64
    def _slopes(self, at: Adjoined) -> tuple[dict[str, Floats], Floats]:
        # nodal forces of 1 and of x per volume: those of any force that is linear in x follow
        unit = np.vstack([np.zeros((1, 3)), np.eye(3)])
        moments = at.test(self.name).T @ loads.body_force(at.points, at.tets, np.array([1.0, 0, 0, 0]), unit)

        def work(given: Mapping[str, Any], density: Any) -> Any:
            base, slope = self.force(given, density)
            return jnp.vdot(moments[:, 0], base) + jnp.vdot(moments[:, 1:], slope)

        given = {name: jnp.asarray(value) for name, value in self.given.items()}
        by_given, by_density = jax.grad(work, argnums=(0, 1))(given, jnp.asarray(self.density))
        return {name: np.asarray(value) for name, value in by_given.items()}, np.asarray(by_density)


@final
@dataclass(frozen=True)
class PrescribedTerm(Term):
    """A given value of the field. moves: what each parameter moves the nodes (h,) by (h, k), per unit of it."""

    name: str
    units: Mapping[str, str]
    nodes: Ints
    moves: Mapping[str, Floats]

    def by_parameters(self, at: Adjoined) -> dict[str, Floats]:
        return {name: np.array(np.vdot(at.pull[self.nodes], move)) for name, move in self.moves.items()}

    def by_points(self, at: Adjoined) -> Floats:
        return np.zeros_like(at.points)
